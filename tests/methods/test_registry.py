"""Finding methods and presets by name or path; every YAML that comes with the package is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dgfas.core.errors import UserError
from dgfas.domains.registry import make_provider
from dgfas.methods.base import Method, MethodOptions
from dgfas.methods.registry import load_method, method_file, method_names, method_options, preset_domains, preset_values

CODE = """
from __future__ import annotations

from typing import Literal

from dgfas.methods.base import Method, MethodOptions


class OwnOptions(MethodOptions):
    margin: float
    kind: Literal["a", "b"] = "a"


class Own(Method):
    Options = OwnOptions

    def update(self, batch):
        return {}

    def score(self, images):
        return images.mean(dim=(1, 2, 3))
"""


def write_method(folder: Path, code: str = CODE, presets: str = "default: {learning_rate: 0.1, margin: 2}") -> str:
    (folder / "own.py").write_text(code)
    (folder / "own.yaml").write_text(presets)
    return str(folder / "own.py")


@pytest.mark.parametrize("name", method_names())
def test_every_preset_of_every_method_is_valid(name: str) -> None:
    presets = yaml.safe_load(method_file(name).with_suffix(".yaml").read_text())
    assert "default" in presets
    for preset in presets:
        options = method_options(name, preset_values(name, preset))
        assert isinstance(options, MethodOptions)
        make_provider(preset_domains(name, preset), n_given_domains=3, seed=0)
    whole = load_method(name).Options.model_fields.keys()
    assert presets["default"].keys() - {"domains"} == whole, (
        "`default` gives every option, so that the YAML is the reference"
    )


@pytest.mark.parametrize("name", method_names())
def test_every_value_of_every_preset_has_its_source_beside_it(name: str) -> None:
    lines = method_file(name).with_suffix(".yaml").read_text().splitlines()
    values = [line for line in lines if re.match(r"\s+\w+:", line)]
    assert values
    for line in values:
        assert re.search(r"\s# \S.{3,}", line), f"{name}.yaml: no source on the line {line.strip()!r}"


@pytest.mark.parametrize("name", method_names())
def test_every_method_is_one_class_in_one_file(name: str) -> None:
    method = load_method(name)
    assert issubclass(method, Method)
    assert method.__module__ == f"dgfas.methods.{name}"


def test_an_unknown_method_gives_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"unknown method 'rmf'; did you mean 'rfm'\?"):
        load_method("rmf")
    with pytest.raises(UserError, match=r"valid: .*binary_cnn.*rfm"):
        load_method("zzzzzzz")


def test_an_unknown_preset_gives_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"rfm has no preset 'papers'; did you mean 'paper'.*rfm.yaml"):
        preset_values("rfm", "papers")


def test_a_preset_is_put_over_the_default(tmp_path: Path) -> None:
    path = write_method(tmp_path, presets="default: {learning_rate: 0.1, margin: 2}\npaper: {margin: 3}")
    assert preset_values(path, "paper") == {"learning_rate": 0.1, "margin": 3}


def test_an_unknown_option_names_the_method_and_the_nearest() -> None:
    values = preset_values("rfm", "default") | {"depth_wieght": 1}
    with pytest.raises(UserError, match="options of rfm: unknown key 'depth_wieght'; did you mean 'depth_weight'"):
        method_options("rfm", values)
    with pytest.raises(UserError, match=r"options of rfm: order: .*'second' or 'first'.*'third'"):
        method_options("rfm", preset_values("rfm", "default") | {"order": "third"})


def test_a_method_from_a_file_of_ones_own(tmp_path: Path) -> None:
    path = write_method(tmp_path)
    assert load_method(path).__name__ == "Own"
    assert method_options(path, preset_values(path, "default")).margin == 2.0


@pytest.mark.parametrize("missing", ["own.py", "own.yaml"])
def test_a_method_is_two_files(missing: str, tmp_path: Path) -> None:
    path = write_method(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=f"{missing} does not exist"):
        preset_values(path, "default")


@pytest.mark.parametrize(("code", "number"), [("", 0), (CODE + "\n\nclass Other(Own):\n    pass\n", 2)])
def test_a_file_must_define_exactly_one_method(code: str, number: int, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"own.py: defines {number} Method subclasses"):
        load_method(write_method(tmp_path, code))


@pytest.mark.parametrize("presets", ["paper: {margin: 3}", "default:", "default: 3", "default: {margin: 1}\npaper:"])
def test_presets_must_be_mappings_with_a_default(presets: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"own.yaml: .*'(default|paper)'"):
        preset_values(write_method(tmp_path, presets=presets), "paper" if "paper" in presets else "default")
