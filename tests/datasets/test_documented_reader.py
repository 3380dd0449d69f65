"""The reader that the documentation shows runs as it stands there."""

from __future__ import annotations

from pathlib import Path

from skimage import data

from clips import write_clip
from dgfas.datasets.completeness import compare
from dgfas.datasets.reading import read_data_set
from dgfas.datasets.registry import find_reader
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
from published_trees import link

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "office_faces.py"


def test_the_documented_reader_is_short_compares_and_prepares(tmp_path: Path, models: None) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 41
    reader = find_reader(str(EXAMPLE))
    assert reader.names is not None
    clip = write_clip(tmp_path / "clip.mp4", [data.astronaut()[::2, ::2]], "libx264")
    for name in reader.names(tmp_path):
        link(clip, tmp_path / "office" / f"{name}.mp4")
    reading = read_data_set(reader, tmp_path / "office")
    assert compare(reader, reading).lines[-1] == "complete: 108 recordings of 6 people"
    (tmp_path / "office/test/p06_phone2_tablet_3.mp4").unlink()
    lines = compare(reader, read_data_set(reader, tmp_path / "office")).lines
    assert "missing (1): test/p06_phone2_tablet_3" in lines
    assert "protocol phone 2: test spoof 11 of 12" in lines
    result = prepare(reading.recordings[:2], tmp_path / "out", PrepareOptions(size=64, frames_per_recording=1))
    assert result.manifest.frames["species"].tolist() == ["live", "live"]
    assert result.manifest.frames["device"].tolist() == ["1", "1"]
