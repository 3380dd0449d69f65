"""The papers' claims against hand-counted differences: which are seen, reversed, or cannot be told."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest
from scipy import stats

from dgfas.reporting.claims import claims_section, paper_claims, verdicts

TO_M, TO_C = "oulu_npu&casia_fasd&replay_attack to msu_mfsd", "oulu_npu&msu_mfsd&replay_attack to casia_fasd"
TO_PHONE = "desk&webcam&laptop to phone"


def study(rates: Mapping[tuple[str, str], Sequence[float]], *, simulated: bool = False) -> pd.DataFrame:
    """Rows of a study: (task, label) -> deployable HTER by seed; the oracle's is half of it, AUC is 1 - HTER."""
    rows = [
        {"task": task, "label": label, "seed": seed, "track": track, "level": level, "hter": value, "auc": 1 - value}
        for (task, label), values in rates.items()
        for seed, deployable in enumerate(values)
        for track, level, value in (
            ("deployable", "recording", deployable),
            ("oracle", "recording", deployable / 2),
            ("deployable", "frame", 0.9),
        )
    ]
    return pd.DataFrame(rows).assign(simulated=simulated, uses_target_images=False, recordings_hash="one", data="sim")


def test_a_claim_is_seen_reversed_or_open_by_the_interval_of_paired_seeds() -> None:
    """RFM table 1, M and C: CNN 29.25 and 34.88, Depth 22.72 and 33.52, MADDG 17.69 and 24.5, Ours 13.89 and 20.27."""
    rates = {
        (TO_M, "rfm"): [0.10, 0.20, 0.30],
        (TO_C, "rfm"): [0.20, 0.30, 0.40],
        (TO_M, "binary_cnn"): [0.20, 0.31, 0.42],  # each seed's mean is 10, 10.5 and 11 points above that of rfm
        (TO_C, "binary_cnn"): [0.30, 0.40, 0.50],
        (TO_M, "maddg"): [0.10, 0.20, 0.30],  # 5, 5.5 and 4.5 below
        (TO_C, "maddg"): [0.10, 0.19, 0.31],
        (TO_M, "auxiliary_depth"): [0.30, 0.20, 0.30],  # 10 above, 5 below, 1 below
        (TO_C, "auxiliary_depth"): [0.20, 0.20, 0.38],
    }
    [claims] = paper_claims(study(rates))
    assert (claims.title, claims.same_data) == ("RFM table 1: rfm minus the others, HTER", True)
    table = claims.table.set_index("against")
    assert list(table.index) == ["binary_cnn", "auxiliary_depth", "maddg"]
    low, high = stats.ttest_1samp([-10.0, -10.5, -11.0], 0).confidence_interval(0.95)
    assert table.loc["binary_cnn"].to_dict() == {
        "paper": f"{(13.89 - 29.25 + 20.27 - 34.88) / 2:+.1f}",
        "ours, track B": f"-10.5 [{low:+.1f}, {high:+.1f}]",
        "claim, track B": "seen",
        "ours, track A": f"-5.2 [{low / 2:+.1f}, {high / 2:+.1f}]",
        "claim, track A": "seen",
    }
    assert table.loc["maddg", ["claim, track B", "claim, track A"]].tolist() == ["reversed", "reversed"]
    assert table.loc["auxiliary_depth", "claim, track B"] == "cannot be told"
    for row, track in zip(verdicts([claims]).itertuples(index=False), ["B deployable", "A oracle"], strict=True):
        assert tuple(row) == ("RFM table 1: rfm above", track, "binary_cnn", "maddg", 1)
    assert "| RFM table 1: rfm above | A oracle | binary_cnn | maddg | 1 |" in "\n".join(claims_section(study(rates)))


def test_one_seed_tells_nothing_and_seeds_must_have_all_tasks() -> None:
    rates = {(TO_M, "rfm"): [0.1], (TO_M, "binary_cnn"): [0.3]}
    [claims] = paper_claims(study(rates))
    assert claims.table["ours, track B"].tolist() == ["-20.0"]
    assert claims.table["claim, track B"].tolist() == ["cannot be told"]
    assert paper_claims(study(rates | {(TO_C, "rfm"): [0.1], (TO_C, "binary_cnn"): []})) == []
    assert claims_section(study({(TO_M, "rfm"): [0.1], (TO_M, "mine"): [0.3]})) == []


@pytest.mark.parametrize(
    ("labels", "title", "paper"),
    [
        # The best of the authors' own rows, which is not the method itself in table 4.
        (("anrl-meta", "anrl-meta-ibn"), "ANRL table 4: anrl-meta minus the others, HTER", f"{17.61 - 20.05:+.1f}"),
        (("anrl", "anrl-idc"), "ANRL table 3: anrl minus the others, HTER", f"{15.67 - 16.75:+.1f}"),
        # A table without HTER: the higher AUC is better, and the paper prints RFM above itself.
        (("pdl_fas", "rfm"), "PDL-FAS table 1: pdl_fas minus the others, AUC", f"{90.7 - 91.1:+.1f}"),
    ],
)
def test_a_simulated_domain_stands_for_the_papers(labels: tuple[str, str], title: str, paper: str) -> None:
    best, other = labels
    rates = {(TO_PHONE, best): [0.1, 0.2, 0.3], (TO_PHONE, other): [0.2, 0.31, 0.42]}
    [claims] = paper_claims(study(rates, simulated=True))
    assert (claims.title, claims.same_data) == (title, False)
    assert claims.table["paper"].tolist() == [paper]
    assert claims.table["claim, track B"].tolist() == ["no claim" if best == "pdl_fas" else "seen"]
    assert f"**{title}** (ours on other data)" in claims_section(study(rates, simulated=True))
    assert paper_claims(study(rates, simulated=False)) == []


def test_real_and_simulated_tasks_of_one_study_are_two_tables() -> None:
    real = study(
        {("casia_fasd&replay_attack&msu_mfsd to oulu_npu", label): [0.1, 0.2] for label in ("rfm", "binary_cnn")}
    )
    drawn = study({(TO_PHONE, label): [0.3, 0.5] for label in ("rfm", "binary_cnn")}, simulated=True)
    for frame in (pd.concat([real, drawn]), pd.concat([drawn, real])):
        assert [each.same_data for each in paper_claims(frame) if each.source == "RFM table 1"] == [True, False]
