"""The providers by name, and the choice of one by its configuration."""

from collections.abc import Mapping
from typing import Any

from dgfas.core.config import merge, validated
from dgfas.core.errors import UserError, nearest
from dgfas.domains.d2am import D2AMDomains
from dgfas.domains.given import GivenDomains
from dgfas.domains.pdl import PDLDomains
from dgfas.domains.provider import DomainProvider
from dgfas.domains.random import RandomDomains

#: The providers that find domains or draw them; the other, `given`, reads the data sets' names.
FOUND: dict[str, Any] = {"d2am": D2AMDomains, "pdl": PDLDomains, "random": RandomDomains}


def make_provider(config: Mapping[str, Any], n_given_domains: int | None, seed: int) -> DomainProvider:
    """Return the provider that `config` (the run's `domains`) describes.

    `n_given_domains` is None where the data are a mixture without a domain column. Raises UserError for an unknown
    provider, a wrong option, or `given` domains that are not there.
    """
    if config.get("provider", "given") == "given":
        validated(GivenDomains.Options, config, "domains")
        return GivenDomains(n_given_domains)
    name = config["provider"]
    if not isinstance(name, str) or name not in FOUND:
        raise UserError(f"domains.provider: unknown provider {name!r}; {nearest(str(name), ['given', *FOUND])}")
    kind = FOUND[name]
    provider: DomainProvider = kind(validated(kind.Options, config, "domains"), seed)
    return provider


def domains_config(preset: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a method's preset `domains` with a user's changes put over them.

    Where the user names another provider, only what all found domains share (`k`, `recluster_every`) is kept of the
    preset, so that one line changes the provider.
    """
    provider = changes.get("provider", preset.get("provider"))
    if provider == preset.get("provider"):
        return merge(preset, changes)
    shared = () if provider == "given" else ("k", "recluster_every")
    return merge({key: preset[key] for key in shared if key in preset}, changes)
