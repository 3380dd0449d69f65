# Verbs of the project; CI runs `make test`. Everything is installed into .venv from requirements.lock.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Two processes of one thread each beat one of two here, in tests as in training.
export OMP_NUM_THREADS ?= 1

.PHONY: install demo browser test test-fast lint bench fuzz load rehearsal docs lock simulation-card study-tables clean

install: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install
	$(BIN)/dgfas demo demo

# Chromium and ffmpeg, for the tests of pages, from Debian where the user may install them.
browser:
	@if command -v chromium >/dev/null && command -v ffmpeg >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium ffmpeg; \
	else echo "no chromium or no ffmpeg: the tests of pages are skipped; as root: apt-get install chromium ffmpeg"; fi

test: lint browser
	$(BIN)/pytest -n 2

test-fast: install
	$(BIN)/pytest -n 2 -m "not slow"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

bench: install
	$(BIN)/python -m benchmarks

# 20,000 damaged photos and videos, with a fixed seed.
fuzz: install
	PYTHONPATH=tests $(BIN)/python tests/deployment/fuzz.py --cases 20000 --seed 0

# 200 clients of a service for a minute, with a model of the setting `small`.
load: build/load/run/model.onnx
	PYTHONPATH=tests $(BIN)/python tests/deployment/load.py --model $< --clients 200 --seconds 60

build/load/run/model.onnx: | install
	rm -rf build/load
	$(BIN)/dgfas simulate build/load/data --subjects 10 --live-recordings 1 --spoof-recordings 1 --frames 2
	$(BIN)/dgfas train build/load/run --data build/load/data --target phone --set training.iterations=20
	$(BIN)/dgfas export build/load/run

# The documented way from the published folders to the papers' table, on whole folders of tiny clips: minutes.
rehearsal: install
	$(BIN)/python tests/rehearsal.py build/rehearsal

docs: install
	$(BIN)/mkdocs serve

simulation-card: install
	$(BIN)/python -m dgfas.benchmark.simulation_card

# The pages of the studies, and the tables of all pages that quote them, from the results in docs/results.
study-tables: install
	$(BIN)/python -m benchmarks.study_tables

# Resolves the newest versions that pyproject.toml allows, in an empty environment, and pins them.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet torch==2.13.0 setuptools wheel ".[train,export,serve,cluster,dev,docs]"
	build/lock/bin/pip freeze --all --exclude dgfas --exclude pip > requirements.lock

clean:
	rm -rf $(VENV) build site .pytest_cache .mypy_cache .ruff_cache
