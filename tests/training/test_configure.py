"""Settings, presets, files and `--set`: which wins, and what a mistake says."""

from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.core.manifest import Manifest, write_manifest
from dgfas.training.configure import build_config

DATA = {"roots": [Path("data")], "sources": ["desk", "webcam"], "target": "phone"}


def test_the_later_source_of_a_value_wins(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("training: {seed: 4, iterations: 50}\noptions: {order: first}\n")
    config = build_config(
        "rfm", **DATA, preset="released", config_file=file, assignments=["training.seed=5", "data.lists=official"]
    )
    assert config.network.image_size == 64  # the setting
    assert config.options["bn_momentum"] == 1.0  # the preset
    assert config.options["depth_weight"] == 10.0  # the preset `default`, below it
    assert config.options["order"] == "first"  # the file
    assert config.training.iterations == 50
    assert config.training.seed == 5  # the assignment
    assert config.data.lists == "official"


def test_an_argument_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("method: mldg\nthreshold: fixed=0.5\ndata: {target: laptop}\n")
    assert build_config(roots=DATA["roots"], sources=["desk"], config_file=file).method == "mldg"
    config = build_config("rfm", **DATA, threshold="bpcer=0.1", config_file=file)
    assert (config.method, config.threshold, config.data.target) == ("rfm", "bpcer=0.1", "phone")


def test_without_sources_all_domains_but_the_target_train(prepared: Manifest) -> None:
    assert build_config(roots=[prepared.root], target="hall").data.sources == ("desk",)
    assert build_config(roots=[prepared.root]).data.sources == ("desk", "hall")
    write_manifest(prepared.root, prepared.frames[prepared.frames["domain"] == "hall"])
    with pytest.raises(UserError, match="no domain is left to train on"):
        build_config(roots=[prepared.root], target="hall")


def test_the_papers_ablations_of_rfm_are_four_lines() -> None:
    for line in ("meta=false", "pairing=aggregated", "order=first", "depth_weight=0"):
        key = line.split("=")[0]
        changed = build_config("rfm", **DATA, assignments=[f"options.{line}"]).options
        same = build_config("rfm", **DATA).options
        assert {name for name in same if same[name] != changed[name]} == {key}


def test_one_line_changes_who_names_the_domains() -> None:
    assert build_config("rfm", **DATA).domains == {"provider": "given"}
    assert build_config("rfm", **DATA, assignments=["domains.provider=d2am"]).domains["provider"] == "d2am"
    assert build_config("d2am", **DATA, assignments=["domains.provider=given"]).domains == {"provider": "given"}


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("rmf", {}, "unknown method 'rmf'; did you mean 'rfm'"),
        ("rfm", {"preset": "relased"}, "no preset 'relased'; did you mean 'released'"),
        ("rfm", {"setting": "smal"}, "unknown setting 'smal'; did you mean 'small'"),
        ("rfm", {"assignments": ["training.sed=1"]}, "unknown key 'training.sed'; did you mean 'seed'"),
        ("rfm", {"assignments": ["options.depth_wight=1"]}, "unknown key 'depth_wight'; did you mean 'depth_weight'"),
        ("rfm", {"assignments": ["options.order=third"]}, "options of rfm: order"),
        ("rfm", {"assignments": ["network.image_size=60"]}, "image side 60 is not divisible by 8; use 64"),
        ("rfm", {"assignments": ["training"]}, "write it as key.subkey=value"),
        ("rfm", {"target": "desk"}, "target domain 'desk' is also a source"),
        ("rfm", {"roots": []}, "data.roots: name the folder of a prepared data set"),
        ("rfm", {"assignments": ["data.roots=data"]}, "data.roots: must be a list, not 'data'"),
        ("rfm", {"assignments": ["network=3"]}, "network: must hold keys and values, not 3"),
        ("rfm", {"assignments": ["domains=3"]}, "domains: must hold keys and values, not 3"),
        ("rfm", {"assignments": ["preset=3"]}, "preset: .* valid string"),
        ("rfm", {"threshold": "err"}, "unknown threshold rule 'err'"),
        ("rfm", {"assignments": ["domains.provider=d2an"]}, "unknown provider 'd2an'; did you mean 'd2am'"),
        ("rfm", {"sources": ["mixture"]}, "given"),
    ],
)
def test_a_mistake_names_the_key_and_the_nearest_valid(method: str, arguments: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_config(method, **{**DATA, **arguments})


def test_a_missing_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no\.yaml: cannot be read"):
        build_config("rfm", **DATA, config_file=tmp_path / "no.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("training: [")
    with pytest.raises(UserError, match=r"broken\.yaml: not valid YAML"):
        build_config("rfm", **DATA, config_file=broken)
