"""Frozen lists: made again from the readers, and counted against what is published."""

from pathlib import Path

import pandas as pd
import pytest

from dgfas.datasets.registry import find_reader
from dgfas.evaluation.frozen_lists import frozen_lists, words_of_list
from dgfas.evaluation.parts import LIST_SPLITS
from dgfas.evaluation.scores import Scores
from dgfas.evaluation.slices import LETTERS


def scores(data_set: str, lists: str, domain: str) -> Scores:
    """Score the recordings of a list as their reader names them; the first was rejected."""
    reader = find_reader(data_set)
    assert reader.names is not None
    chosen = [each for each in map(reader.describe, reader.names(Path())) if each is not None]
    rows = [
        (domain, each.subject, each.name, each.species, each.label, 0.5)
        for each in chosen
        if each.split in LIST_SPLITS[lists][2]
    ]
    table = pd.DataFrame(rows, columns=["domain", "subject", "recording", "species", "label", "score"])
    table["frame"] = pd.Series(0, index=table.index, dtype="Int64")
    table.loc[0, ["frame", "score"]] = pd.NA
    return Scores(table, "memory")


@pytest.mark.parametrize("data_set", LETTERS.values())
def test_every_line_comes_from_the_reader_again(data_set: str) -> None:
    frozen = [each for each in frozen_lists() if each.data_set == data_set]
    assert sorted(lists for each in frozen for lists in each.lists) == sorted(LIST_SPLITS)
    for each in frozen:
        for lists in each.lists:
            found = scores(data_set, lists, data_set)
            counts = int(found.is_live.sum()), int((~found.is_live).sum())
            assert counts == (each.live, each.spoof)
            assert found.recordings_hash == each.hash


def test_the_counts_are_those_that_papers_divide_by() -> None:
    """The number of videos that make published HTERs whole: MSU 70/210, CASIA 150/450, Replay 140/700, ..."""
    counts = {(each.data_set, lists): (each.live, each.spoof) for each in frozen_lists() for lists in each.lists}
    assert counts["msu_mfsd", "ssdg"] == counts["msu_mfsd", "everything"] == (70, 210)
    assert counts["msu_mfsd", "official"] == (40, 120)
    assert counts["casia_fasd", "ssdg"] == (150, 450)
    assert counts["casia_fasd", "official"] == (90, 270)
    assert [counts["replay_attack", lists] for lists in LIST_SPLITS] == [(140, 700), (80, 400), (200, 1000)]
    assert [counts["oulu_npu", lists] for lists in LIST_SPLITS] == [(720, 2880), (360, 1440), (990, 3960)]


def test_a_list_is_known_under_letter_and_name_and_a_lost_recording_is_told() -> None:
    whole = scores("msu_mfsd", "official", "M")
    assert words_of_list("M", "official", 40, 120, whole.recordings_hash) == "official, whole list"
    part = Scores(whole.rows.iloc[1:], "memory")
    expected = "official, 39 of 40 live and 120 of 120 spoof, not the frozen list"
    assert words_of_list("msu_mfsd", "official", 39, 120, part.recordings_hash) == expected
    assert words_of_list("M[device=laptop]", "official", 20, 60, "") == "official"
    assert words_of_list("phone", "ssdg", 20, 60, "") == "ssdg"
