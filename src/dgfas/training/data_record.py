"""What a prepared data set's own record says of how it was made."""

from pathlib import Path
from typing import Any

from dgfas.core.files import read_json
from dgfas.core.manifest import SIMULATED_NAME
from dgfas.evaluation.slices import parse_slice
from dgfas.faces.options import PrepareOptions


def data_set_record(root: Path) -> dict[str, Any]:
    """Return who made the data set in folder `root` ("simulation", "preparation" or "unknown") and with what options.

    Of a simulated one each domain is given by its description and kinds of attacks.
    """
    if (root / SIMULATED_NAME).is_file():
        options = read_json(root / SIMULATED_NAME, "domains")
        domains = {domain["name"]: domain for domain in options.pop("domains")}
        words = {
            name: f"{domain['description']}; attacks: {', '.join(domain['attacks'])}"
            for name, domain in domains.items()
        }
        return {"made_by": "simulation", **options, **words}
    prepared = PrepareOptions.of_data_set(root)
    return {"made_by": "unknown"} if prepared is None else {"made_by": "preparation", **prepared.content}


def first_change(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return the first key at which two descriptions differ, as far as both have it; None if at none."""
    return next((key for key in now if key in before and before[key] != now[key]), None)


def is_simulated(content: dict[str, Any]) -> bool:
    """Whether any of the data of a result (the content of its file) was simulated, as far as it says."""
    return (content.get("job") or {}).get("subjects") is not None or bool(simulated_records(content["about"]))


def simulated_records(about: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the records, by folder, of those data sets in a result's `about` that were simulated."""
    records: dict[str, dict[str, Any]] = about.get("data_sets") or {}
    return {root: record for root, record in records.items() if record.get("made_by") == "simulation"}


def draws_of_target(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return how the persons of a result's target were drawn: the records of the simulated data sets that hold it.

    Empty where the target is real, whatever its sources are. Older results tell the people and the seed alone.
    """
    about, job = content["about"], content.get("job") or {}
    if not about.get("data_sets") and job.get("subjects") is not None:
        return [{"subjects": job["subjects"], "seed": job["seed"]}]
    target = parse_slice(about["target"]).data_set if about.get("target") else None
    drawn = list(simulated_records(about).values())
    holding = [record for record in drawn if target in record]
    return holding or (drawn if len(drawn) == len(about.get("data_sets") or {}) else [])
