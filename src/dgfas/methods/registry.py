"""Find a method by its name, or by the path of a Python file; read its presets.

A method is one Python file with one `Method` subclass, and one YAML of the same name beside it that holds the presets.
"""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from dgfas.core.config import merge, read_yaml, validated
from dgfas.core.errors import UserError, nearest
from dgfas.core.own_code import module_of
from dgfas.methods.classical.base import ClassicalMethod, ClassicalOptions

if TYPE_CHECKING:
    from dgfas.methods.base import Method, MethodOptions

FOLDER = Path(__file__).parent
CLASSICAL = FOLDER / "classical"


def method_names() -> list[str]:
    """Return the names of the learned methods that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def classical_names() -> list[str]:
    """Return the names of the hand-crafted methods that come with the package; they need no torch."""
    return sorted(path.stem for path in CLASSICAL.glob("*.yaml"))


def method_file(name: str) -> Path:
    """Return the Python file of a method given by name or by path. Raises UserError where there is none."""
    if name.endswith(".py"):
        path = Path(name)
        for needed in (path, path.with_suffix(".yaml")):
            if not needed.is_file():
                raise UserError(f"method {name}: {needed} does not exist; a method is a .py and a .yaml side by side")
        return path
    if name in classical_names():
        return CLASSICAL / f"{name}.py"
    names = [*method_names(), *classical_names()]
    if name not in names:
        raise UserError(f"unknown method {name!r}; {nearest(name, names)}")
    return FOLDER / f"{name}.py"


def load_method(name: str) -> "type[Method]":
    """Return the class of a learned method given by name or by path."""
    from dgfas.methods.base import Method

    return _own_class(_module(name), Method)  # type: ignore[type-abstract]


def load_classical(name: str) -> type[ClassicalMethod]:
    """Return the class of a hand-crafted method given by name."""
    return _own_class(_module(name), ClassicalMethod)  # type: ignore[type-abstract]


Kind = TypeVar("Kind")


def _own_class(module: ModuleType, kind: type[Kind]) -> type[Kind]:
    own = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, kind) and member.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise UserError(f"{module.__file__}: defines {len(own)} {kind.__name__} subclasses; it must define exactly one")
    return own[0]


def _module(name: str) -> ModuleType:
    path = method_file(name)
    if path.parent == FOLDER:
        return importlib.import_module(f"dgfas.methods.{path.stem}")
    if path.parent == CLASSICAL:
        return importlib.import_module(f"dgfas.methods.classical.{path.stem}")
    return module_of(path, "method")


def preset_values(name: str, preset: str) -> dict[str, Any]:
    """Return the options that a preset gives: those of `default`, with the preset's own put over them.

    Raises UserError if the preset does not exist, or if the file has no `default` or a preset without keys and values.
    """
    return {key: value for key, value in _preset(name, preset).items() if key != "domains"}


def preset_domains(name: str, preset: str) -> dict[str, Any]:
    """Return who names the domains by a preset: its `domains`, or `given` where it says nothing. Raises as above."""
    domains: dict[str, Any] = _preset(name, preset).get("domains", {"provider": "given"})
    return domains


def _preset(name: str, preset: str) -> dict[str, Any]:
    path = method_file(name).with_suffix(".yaml")
    presets = read_yaml(path)
    if preset not in presets:
        raise UserError(f"method {name} has no preset {preset!r}; {nearest(preset, presets)} ({path})")
    for needed in ("default", preset):
        if not isinstance(presets.get(needed), dict):
            raise UserError(f"{path}: preset {needed!r} must hold keys and values (`{{}}` if it changes nothing)")
    return merge(presets["default"], presets[preset])


def method_options(name: str, values: Mapping[str, Any]) -> "MethodOptions":
    """Check the options of a learned method. Raises UserError naming the option at fault."""
    return validated(load_method(name).Options, values, f"options of {name}")


def classical_options(name: str, values: Mapping[str, Any]) -> ClassicalOptions:
    """Check the options of a hand-crafted method. Raises UserError naming the option at fault."""
    return validated(load_classical(name).Options, values, f"options of {name}")
