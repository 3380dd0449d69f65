"""The papers' numbers: the size of every table, cells read by eye, and no contradiction that is not marked."""

import itertools

import pytest

from dgfas.evaluation.published import PublishedValue, published_tables, published_values, same_data, values_of

ROWS = {
    ("RFM", "table 1"): 10,
    ("RFM", "table 2"): 4,
    ("RFM", "table 3"): 3,
    ("D2AM", "table 1"): 12,
    ("D2AM", "table 2"): 8,
    ("D2AM", "table 3"): 8,
    ("D2AM", "text, Result and Discussion"): 2,
    ("DRDG", "table 1"): 12,
    ("DRDG", "table 2"): 7,
    ("DRDG", "table 3"): 6,
    ("ANRL", "table 1"): 12,
    ("ANRL", "table 2"): 7,
    ("ANRL", "table 3"): 5,
    ("ANRL", "table 4"): 6,
    ("PDL-FAS", "table 1"): 7,
}


def test_every_table_has_its_rows() -> None:
    assert {(table.paper, table.where): len(table.rows) for table in published_tables().tables} == ROWS
    assert len(published_values()) == 574


@pytest.mark.parametrize(
    ("paper", "where", "method", "task", "metric", "percent"),
    [
        ("RFM", "table 1", "Ours", "I&C&M to O", "hter", 16.45),
        ("RFM", "table 1", "MMD-AAE", "O&M&I to C", "auc", 58.29),
        ("RFM", "table 2", "MetaReg", "O&C&M to I", "hter", 32.28),
        ("RFM", "table 3", "Ours (First-order)", "O&C&I to M", "auc", 87.36),
        ("D2AM", "table 1", "D2AM", "O&M&I to C", "hter", 20.98),
        ("D2AM", "table 2", "RFM", "M&I to O", "auc", 72.61),
        ("D2AM", "table 3", "D2AM w/o d", "O&C&M to I", "hter", 27.05),
        ("D2AM", "text, Result and Discussion", "RFM", "oulu_npu_3", "auc_deviation", 2.5),
        ("DRDG", "table 1", "DRDG", "O&C&I to M", "auc", 95.81),
        ("DRDG", "table 2", "DRDG", "M&I to C", "hter", 31.28),
        ("DRDG", "table 3", "Baseline_SRM_reverse", "O&C&I to M", "hter", 20.67),
        ("ANRL", "table 1", "Ours", "O&C&I to M", "hter", 10.83),
        ("ANRL", "table 2", "IDA", "M&I to O", "hter", 54.52),
        ("ANRL", "table 3", "meta + ICS", "I&C&M to O", "hter", 16.43),
        ("ANRL", "table 4", "IBN", "I&C&M to O", "auc", 86.88),
        ("PDL-FAS", "table 1", "Self-DA", "O&C&M to I", "auc", 90.1),
    ],
)
def test_cells_read_by_eye(paper: str, where: str, method: str, task: str, metric: str, percent: float) -> None:
    place = (paper, where, method, task, metric)
    found = [
        each for each in published_values() if (each.paper, each.where, each.method, each.task, each.metric) == place
    ]
    assert [each.percent for each in found] == [percent]


def test_every_contradiction_between_papers_is_marked() -> None:
    """Two numbers of one method on one task differ only if one of them is doubted, or is cut off after a decimal."""

    def key(value: PublishedValue) -> tuple[str, str, str]:
        return value.label, value.task, value.metric

    doubted = set()
    for _, group in itertools.groupby(sorted(published_values(), key=key), key=key):
        for one, other in itertools.combinations(list(group), 2):
            if abs(one.percent - other.percent) >= 0.1:
                assert (one.doubt is None) != (other.doubt is None), (one, other)
                doubted |= {value for value in (one, other) if value.doubt}
    assert {(value.paper, value.method, value.percent) for value in doubted} == {
        ("D2AM", "SSDG-M", 90.61),
        ("PDL-FAS", "MS LBP", 61.6),
        ("PDL-FAS", "Auxiliary(Depth)", 75.1),
    }
    assert doubted == {value for value in published_values() if value.doubt}


def test_the_authors_own_number_comes_first_and_a_doubted_one_last() -> None:
    assert [each.source for each in values_of("rfm", "casia_fasd&msu_mfsd&replay_attack to oulu_npu", "auc")] == [
        "RFM table 1"
    ]
    assert [(each.source, each.percent) for each in values_of("ssdg", "O&C&M to I", "auc")] == [
        ("DRDG table 1", 94.61),
        ("D2AM table 1", 90.61),
    ]
    assert values_of("rfm", "desk&webcam&laptop to phone", "auc") == []


def test_tasks_are_the_same_by_their_data_sets() -> None:
    assert same_data("M&I&C to oulu_npu", "I&C&M to O")
    assert not same_data("M&I to O", "I&C&M to O")
    assert not same_data("I&C&M to O[device=1]", "I&C&M to O")
