"""Put a run's configuration together: setting, preset, file and `--set`, the later winning."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dgfas.core.config import (
    DataConfig,
    Lists,
    RunConfig,
    SelectionRule,
    Strict,
    merge,
    parse_assignments,
    read_yaml,
    setting_values,
    validated,
)
from dgfas.core.errors import UserError
from dgfas.core.manifest import MIXTURE
from dgfas.domains.provider import DomainProvider
from dgfas.domains.registry import domains_config, make_provider
from dgfas.evaluation.thresholds import parse_rule
from dgfas.methods.registry import (
    classical_names,
    classical_options,
    method_options,
    preset_domains,
    preset_values,
)
from dgfas.training.task_data import domains_but


class Choice(Strict):
    """What has to be known before the rest can be looked up."""

    method: str
    preset: str
    setting: str
    data: dict[str, Any]
    domains: dict[str, Any]


DEFAULTS: dict[str, Any] = {"method": "rfm", "preset": "default", "setting": "small", "data": {}, "domains": {}}


def build_config(
    method: str | None = None,
    *,
    roots: Sequence[Path] = (),
    sources: Sequence[str] = (),
    target: str | None = None,
    lists: Lists | None = None,
    preset: str | None = None,
    setting: str | None = None,
    selection: SelectionRule | None = None,
    threshold: str | None = None,
    config_file: Path | None = None,
    assignments: Iterable[str] = (),
) -> RunConfig:
    """Return the checked configuration of a run.

    The size comes from `setting`, the method's options from `preset`; a YAML file, then the arguments that are given,
    then `--set a.b=c` assignments change single values. Without `sources` all domains of the data but the target
    train. Raises UserError naming the key at fault.
    """
    arguments = {
        "method": method,
        "preset": preset,
        "setting": setting,
        "selection": selection,
        "threshold": threshold,
        "data": _given({"roots": list(roots), "sources": list(sources), "target": target, "lists": lists}),
    }
    from_file = read_yaml(config_file) if config_file else {}
    given = merge(merge(merge(DEFAULTS, from_file), _given(arguments)), parse_assignments(assignments))
    choice = validated(Choice, {key: given[key] for key in DEFAULTS}, "configuration")
    given["domains"] = domains_config(preset_domains(choice.method, choice.preset), choice.domains)
    values = merge(setting_values(choice.setting), {"options": preset_values(choice.method, choice.preset)})
    config = validated(RunConfig, merge(values, given), "configuration")
    parse_rule(config.threshold)  # now, not after hours of training
    if not config.data.sources:
        config = config.model_copy(update={"data": _all_but_the_target(config.data)})
    provider_of(config)  # checks its options
    if not is_classical(config):
        need_torch()
    check = classical_options if is_classical(config) else method_options
    checked = check(config.method, config.options)
    return config.model_copy(update={"options": checked.model_dump(mode="json")})


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _all_but_the_target(data: DataConfig) -> DataConfig:
    names = domains_but(data.target, data.roots)
    if not names:
        raise UserError(f"no domain is left to train on: the data hold only the target {data.target!r}")
    return data.model_copy(update={"sources": tuple(names)})


def need_torch() -> None:
    """Raise UserError, saying what to install, if a package that learned methods need is missing."""
    try:
        import lightning_fabric  # noqa: F401
        import safetensors  # noqa: F401
        import tensorboard  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise UserError(f'learned methods need {error.name}: pip install "dgfas[train]"') from error


def is_classical(config: RunConfig) -> bool:
    """Whether the run's method is a hand-crafted one, without networks."""
    return config.method in classical_names()


def provider_of(config: RunConfig) -> DomainProvider:
    """Return the domain provider of a run. Raises UserError if it needs given domains and the data are a mixture."""
    sources = config.data.sources
    return make_provider(config.domains, None if MIXTURE in sources else len(sources), config.training.seed)
