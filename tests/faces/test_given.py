"""Boxes, eyes and depth maps that come with a data set."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest
from dgfas.core.recording import Recording
from dgfas.datasets.depth_maps import with_depth_maps
from dgfas.datasets.folder import read_folder
from dgfas.faces.detection import FaceDetector
from dgfas.faces.given import given_boxes, given_depth
from dgfas.faces.mesh import FaceMesh, refined
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare


def recording(tmp_path: Path, **factors: str) -> Recording:
    return Recording("d", "s", "r", "train", Label.LIVE, "live", (tmp_path / "r.mp4",), factors)


def test_a_box_of_every_frame(tmp_path: Path) -> None:
    assert given_boxes(recording(tmp_path, box="10 20 50 80"))(3, 640, 480) == (10, 20, 50, 80)


def test_boxes_of_each_frame(tmp_path: Path) -> None:
    (tmp_path / "r.face").write_text("0 10 20 40 60\n1 0 0 0 0\n2 12 20 40 60\n")
    boxes = given_boxes(recording(tmp_path, boxes=str(tmp_path / "r.face")))
    assert [boxes(position, 320, 240) for position in range(4)] == [(10, 20, 50, 80), None, (12, 20, 52, 80), None]


def test_a_box_in_a_frame_of_224_pixels_is_scaled_to_the_image(tmp_path: Path) -> None:
    boxes = given_boxes(recording(tmp_path, box_224="56 28 112 168"))
    assert boxes(0, 448, 896) == (112, 112, 336, 784)
    assert given_boxes(recording(tmp_path, box_224="56 28 0 168"))(0, 448, 896) is None


def test_the_box_around_given_eyes_is_close_to_that_of_the_mesh(
    tmp_path: Path, astronaut: np.ndarray, detector: FaceDetector, mesh: FaceMesh
) -> None:
    face = detector.detect(astronaut)[0]
    rough = mesh.landmarks(astronaut, face)
    assert rough is not None
    right_x, right_y = rough[[33, 133], :2].mean(axis=0)
    left_x, left_y = rough[[362, 263], :2].mean(axis=0)
    (tmp_path / "r.txt").write_text(f"0,{right_x},{right_y},{left_x},{left_y}\n1,5,5,5,5\n")
    boxes = given_boxes(recording(tmp_path, eyes=str(tmp_path / "r.txt")))
    found, wanted = boxes(0, 512, 512), refined(face, rough).box
    assert found is not None
    shared = [min(found[2], wanted[2]) - max(found[0], wanted[0]), min(found[3], wanted[3]) - max(found[1], wanted[1])]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (found, wanted)]
    assert shared[0] * shared[1] / (sum(areas) - shared[0] * shared[1]) > 0.85
    assert boxes(1, 512, 512) is None
    assert boxes(2, 512, 512) is None


@pytest.mark.parametrize(
    "factors", [{}, {"box": "1 2 3"}, {"box": "5 5 5 9"}, {"boxes": "nowhere.face"}, {"box_224": "a b c d"}]
)
def test_unreadable_given_boxes_are_named(tmp_path: Path, factors: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"r\.mp4: (the given boxes cannot be read|no box is given)"):
        given_boxes(recording(tmp_path, **factors))


@pytest.mark.parametrize("line", ["0 nan nan 5 5", "0 1 1 inf 5", "0 0 0 1e9 1e9", "0 -50000 0 60000 5"])
def test_a_box_that_fits_no_frame_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "r.face").write_text(line)
    with pytest.raises(UserError, match=r"r\.mp4: the given box .* of frame 0 is none in a frame of 640 x 480 pixels"):
        given_boxes(recording(tmp_path, boxes="r.face"))(0, 640, 480)


def test_a_box_may_reach_beyond_the_frame(tmp_path: Path) -> None:
    (tmp_path / "r.face").write_text("0 -100 -50 900 700")
    assert given_boxes(recording(tmp_path, boxes="r.face"))(0, 640, 480) == (-100, -50, 800, 650)


def test_a_table_names_the_boxes_of_the_frames_of_a_recording(tmp_path: Path) -> None:
    """What the table's reader says where the lines of a recording have different boxes."""
    for number in range(2):
        (tmp_path / f"{number}.png").touch()
    (tmp_path / "r.face").write_text("0 1 2 10 10\n1 3 4 10 10\n")
    (tmp_path / "table.csv").write_text("path,recording,boxes\n0.png,r,r.face\n1.png,r,r.face\n")
    (found,) = read_folder(tmp_path, table=tmp_path / "table.csv").recordings
    assert given_boxes(found)(1, 640, 480) == (3, 4, 13, 14)


def test_boxes_of_more_frames_than_were_extracted_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.face").write_text("".join(f"{number} 1 2 3 4\n" for number in range(10)))
    frames = tuple(tmp_path / f"{number}.png" for number in range(0, 10, 5))
    some = replace(recording(tmp_path, boxes="r.face"), sources=frames)
    with pytest.raises(UserError, match=r"0\.png: the given boxes .* \(r.face is of frame 9, but there are 2 extr"):
        given_boxes(some)
    all_frames = replace(some, sources=tuple(tmp_path / f"{number}.png" for number in range(10)))
    assert given_boxes(all_frames)(9, 640, 480) == (1, 2, 4, 6)


@pytest.mark.parametrize("name", ["7.png", "000007.png", "000007_depth.jpg"])
def test_the_depth_map_of_a_frame_of_a_video(name: str, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / name), np.full((16, 24), 200, np.uint8))
    depth = given_depth(recording(tmp_path, depth_maps=str(tmp_path)))
    assert depth is not None
    found = depth(7)
    assert found is not None
    np.testing.assert_array_equal(found, np.full((16, 24), 200))
    assert depth(8) is None
    assert given_depth(recording(tmp_path)) is None


def test_sixteen_bits_of_depth_keep_their_upper_eight(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "0.png"), np.full((4, 4), 0x80FF, np.uint16))
    depth = given_depth(recording(tmp_path, depth_maps=str(tmp_path)))
    assert depth is not None
    np.testing.assert_array_equal(depth(0), np.full((4, 4), 0x80))
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"1\.png: this depth map cannot be decoded"):
        depth(1)


def test_given_depth_maps_are_cut_like_the_face(tmp_path: Path, models: None, astronaut: np.ndarray) -> None:
    """The map is half as large as the frame: near in its left half. One of two frames has none; nor has the print."""
    source, maps = tmp_path / "source", tmp_path / "maps"
    for folder in (source / "live" / "a", source / "print" / "a", maps / "live" / "a"):
        folder.mkdir(parents=True)
    names = ["live/a/0.png", "live/a/1.png", "print/a/0.png"]
    for name in names:
        assert cv2.imwrite(str(source / name), astronaut[..., ::-1])
    levels = np.zeros((256, 256), np.uint8)
    levels[:, :113] = 255  # to the middle of the box below
    assert cv2.imwrite(str(maps / "live/a/1_depth.png"), levels)
    live = Recording("d", "a", "live", "train", Label.LIVE, "live", (source / names[0], source / names[1]))
    spoof = Recording("d", "a", "print", "train", Label.SPOOF, "print", (source / names[2],))
    live, spoof = (replace(each, factors={"box": "176 70 276 170"}) for each in (live, spoof))
    options = PrepareOptions(size=64, depth_size=8, margin=0, detector="given")
    prepare(with_depth_maps([live, spoof], source, maps), tmp_path / "out", options)
    frames = Manifest.read(tmp_path / "out").frames
    assert frames["depth_kind"].tolist() == ["unknown", "map", "zero"]
    depth = cv2.imread(str(tmp_path / "out" / frames["depth"].iloc[1]), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_allclose(depth, np.tile([255] * 4 + [0] * 4, (8, 1)), atol=12)
    assert frames["yaw"].notna().all()


def test_a_folder_without_depth_maps_is_named(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    with pytest.raises(UserError, match="maps: holds no depth map of a live recording"):
        with_depth_maps([recording(tmp_path)], tmp_path, tmp_path / "maps")
