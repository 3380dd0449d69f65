"""The folder of a run: what was asked, on what, by which versions."""

import os
import platform
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml

import dgfas
from dgfas.core.config import RunConfig, read_yaml, validated
from dgfas.core.errors import UserError
from dgfas.core.files import locked, read_json, write_json, write_whole
from dgfas.training.data_record import first_change

CONFIG_NAME = "config.yaml"
RECORD_NAME = "run.json"
LOCK_NAME = ".lock"


def start_record(run: Path, config: RunConfig, facts: dict[str, Any]) -> None:
    """Write the resolved configuration and the record of a new run. Raises UserError if the folder is a run already."""
    require_new(run)
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / RECORD_NAME, {"dgfas": dgfas.__version__, **machine(), **facts})
    write_whole(run / CONFIG_NAME, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def add_to_record(run: Path, facts: dict[str, Any]) -> None:
    """Write what was found out after the start into the record of a run."""
    write_json(run / RECORD_NAME, {**read_record(run), **facts})


def require_new(run: Path) -> None:
    """Raise UserError if the folder holds a run already."""
    if (run / CONFIG_NAME).exists():
        raise UserError(
            f"{run}: holds a run already; continue it with `dgfas train --resume {run}`, or name a new folder"
        )


def held(run: Path) -> AbstractContextManager[None]:
    """Keep other processes from training a run. Raises UserError if one does."""
    return locked(run / LOCK_NAME, busy=f"{run}: another process trains it; wait for that, or name another folder")


def other_data(record: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Say in what the data of a run's record differ from those of `now`, wherever they lie; None if in nothing.

    The hash of a manifest does not tell how the pictures were made; records of older versions tell only that hash.
    """
    before, after = _data_of(record), _data_of(now)
    if before.keys() != after.keys():
        return "another manifest hash"
    for digest, made in before.items():
        if (key := first_change(made, after[digest])) is not None:
            return f"{key} {made[key]}, now {after[digest][key]}"
    return None


def require_same_data(run: Path, facts: dict[str, Any]) -> None:
    """Raise UserError if `facts` tell of other data than those that the run began with."""
    if (difference := other_data(read_record(run), facts)) is not None:
        raise UserError(f"{run}: its prepared data have changed since the run began ({difference}); start a new run")


def _data_of(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return how each data set was made, by the hash of its manifest."""
    made = record.get("data_sets") or {}
    return {digest: made.get(root, {}) for root, digest in record["manifests"].items()}


def machine() -> dict[str, Any]:
    """Return what a number may depend on: versions, processor, and the threads of torch where it is in use."""
    facts = {"python": platform.python_version(), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    torch = sys.modules.get("torch")
    return facts | ({"torch": torch.__version__, "threads": torch.get_num_threads()} if torch else {})


def read_config(run: Path) -> RunConfig:
    """Return the configuration of a run. Raises UserError if the folder holds none."""
    path = run / CONFIG_NAME
    if not path.is_file():
        raise UserError(f"{run}: is not the folder of a run ({CONFIG_NAME} is missing)")
    return validated(RunConfig, read_yaml(path), str(path))


def read_record(run: Path) -> dict[str, Any]:
    """Return the record of a run. Raises UserError if it is damaged."""
    return read_json(run / RECORD_NAME, "manifests")
