"""Checkpoints: one safetensors file, its header holding the rest of the state as JSON. No pickle, never half a file."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.methods.base import Method

LATEST = "latest"


def checkpoint_path(run: Path, step: int | str) -> Path:
    """Return the file of the checkpoint after `step` iterations, or of the `latest` one."""
    name = step if isinstance(step, str) else f"{step:07d}"
    return run / "checkpoints" / f"{name}.safetensors"


def saved_steps(run: Path) -> list[int]:
    """Return the iterations of the checkpoints that are kept (each tenth of the run), in order."""
    return sorted(int(path.stem) for path in (run / "checkpoints").glob("*.safetensors") if path.stem.isdigit())


def write_checkpoint(
    path: Path, method: Method, facts: dict[str, Any], tensors: dict[str, Tensor], *, resumable: bool
) -> None:
    """Write the method's networks and buffers, with its optimisers if `resumable`; atomically.

    `facts` is any JSON; `tensors` further arrays of the loop. Raises UserError, leaving the previous file as it was,
    if a value is not finite or the disk is full.
    """
    arrays = {f"method/{name}": value for name, value in method.state_dict().items()}
    for name, value in arrays.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(f"{name} is no longer finite; {path} keeps its last good state. Lower the learning rate")
    arrays |= {f"loop/{name}": value for name, value in tensors.items()}
    groups = {}
    if resumable:
        for name, optimiser in method.optimisers.items():
            state = optimiser.state_dict()
            groups[name] = state["param_groups"]
            for index, entries in state["state"].items():
                arrays |= {f"optimiser/{name}/{index}/{key}": value for key, value in entries.items()}
    header = {"facts": json.dumps(facts), "groups": json.dumps(groups), "method": type(method).__name__}
    content = save({name: value.detach().cpu().contiguous() for name, value in arrays.items()}, header)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, durable=True)
    except OSError as error:
        raise UserError(
            f"{path}: the checkpoint cannot be written ({error.strerror}); the previous one is intact. "
            "Free space, then continue with --resume"
        ) from error


def read_checkpoint(path: Path, method: Method) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Load a checkpoint into `method` (and into its optimisers, if it holds them); return its facts and tensors.

    Raises UserError if the file is missing or broken, or was written by another method or at another width.
    """
    header, arrays = _read(path)
    if header["method"] != type(method).__name__:
        raise UserError(f"{path}: is a checkpoint of method {header['method']}, not of {type(method).__name__}")
    _load_networks(method, {k.removeprefix("method/"): v for k, v in arrays.items() if k.startswith("method/")}, path)
    groups = json.loads(header["groups"])
    for name in groups:
        state: dict[int, dict[str, Tensor]] = {}
        prefix = f"optimiser/{name}/"
        for key, value in arrays.items():
            if key.startswith(prefix):
                index, entry = key.removeprefix(prefix).split("/")
                state.setdefault(int(index), {})[entry] = value
        method.optimisers[name].load_state_dict({"state": state, "param_groups": groups[name]})
    tensors = {key.removeprefix("loop/"): value for key, value in arrays.items() if key.startswith("loop/")}
    return json.loads(header["facts"]), tensors


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise UserError(f"{path}: there is no such checkpoint; train first, or continue with --resume")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: is not a readable checkpoint ({error})") from error
    if "method" not in header:
        raise UserError(f"{path}: is a safetensors file, but not a checkpoint of dgfas")
    return header, arrays


def _load_networks(method: Method, arrays: dict[str, Tensor], path: Path) -> None:
    own = method.state_dict()
    for name in sorted(set(own) ^ set(arrays)):
        where = "the checkpoint" if name in arrays else "the method"
        raise UserError(f"{path}: tensor {name} is only in {where}; it was written with other options")
    for name, value in own.items():
        if value.shape != arrays[name].shape:
            raise UserError(
                f"{path}: tensor {name} has shape {tuple(arrays[name].shape)}, the method expects "
                f"{tuple(value.shape)}; it was written with another network.width or other options"
            )
    method.load_state_dict(arrays)
