"""Put a run's configuration together: setting, preset, file and `--set`, the later winning."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dgfas.core.config import RunConfig, merge, parse_assignments, read_yaml, setting_values, validated
from dgfas.core.manifest import MIXTURE
from dgfas.domains.provider import DomainProvider, domains_config, make_provider
from dgfas.methods.registry import (
    classical_names,
    classical_options,
    method_options,
    preset_domains,
    preset_values,
)


def build_config(
    method: str,
    *,
    roots: Sequence[Path] = (),
    sources: Sequence[str] = (),
    target: str | None = None,
    preset: str = "default",
    setting: str = "small",
    config_file: Path | None = None,
    assignments: Iterable[str] = (),
) -> RunConfig:
    """Return the checked configuration of a run.

    The size comes from `setting`, the method's options from `preset`; a YAML file and then `--set a.b=c` assignments
    change single values. Raises UserError naming the key at fault.
    """
    data: dict[str, Any] = {"roots": [str(root.resolve()) for root in roots], "sources": list(sources)}
    given: dict[str, Any] = {"method": method, "preset": preset, "setting": setting, "data": data | {"target": target}}
    changes = merge(read_yaml(config_file) if config_file else {}, parse_assignments(assignments))
    given = merge(given, changes)
    name, preset = given["method"], given["preset"]
    given["domains"] = domains_config(preset_domains(name, preset), given.get("domains", {}))
    values = merge(setting_values(given["setting"]), {"options": preset_values(name, preset)})
    config = validated(RunConfig, merge(values, given), "configuration")
    provider_of(config)  # checks its options
    check = classical_options if is_classical(config) else method_options
    checked = check(config.method, config.options)
    return config.model_copy(update={"options": checked.model_dump(mode="json")})


def is_classical(config: RunConfig) -> bool:
    """Whether the run's method is a hand-crafted one, without networks."""
    return config.method in classical_names()


def provider_of(config: RunConfig) -> DomainProvider:
    """Return the domain provider of a run. Raises UserError if it needs given domains and the data are a mixture."""
    sources = config.data.sources
    return make_provider(config.domains, None if MIXTURE in sources else len(sources), config.training.seed)
