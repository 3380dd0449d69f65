"""The learned baselines: presets that differ where they say so, and updates that depend on the seed alone."""

import pytest
from method_checks import build, make_batch, step

from dgfas.core.config import read_yaml
from dgfas.methods.registry import FOLDER, preset_values

BASELINES = ("maddg", "metareg", "mldg", "mmd_aae", "reptile", "self_da", "ssdg")
PRESETS = [(name, preset) for name in BASELINES for preset in read_yaml(FOLDER / f"{name}.yaml")]


@pytest.mark.parametrize(("name", "preset"), [pair for pair in PRESETS if pair[1] != "default"])
def test_other_presets_differ_from_the_default(name, preset):
    assert preset_values(name, preset) != preset_values(name, "default")


@pytest.mark.parametrize("name", BASELINES)
def test_two_runs_from_one_seed_agree_and_what_is_logged_is_a_number(name):
    logs = []
    for _ in range(2):
        method = build(name, n_domains=2, iterations=2)
        logs.append([step(method, make_batch(2), iteration) for iteration in range(2)])
    assert logs[0] == logs[1]
    assert all(isinstance(value, float) for log in logs[0] for value in log.values())
