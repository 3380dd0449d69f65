"""What a data set gives with its frames, in the place of our own finding: boxes, eyes, depth maps."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.core.recording import Recording
from dgfas.faces.frames import is_image
from dgfas.faces.video import WHOLE_SHARE

Box = tuple[float, float, float, float]
#: Returns the box (left, top, right, bottom) of the frame at a position, of a width and height in pixels, or None
#: where the data set gives none.
GivenBoxes = Callable[[int, int, int], Box | None]
#: Returns the depth map of the frame at a position as bytes, 255 = nearest, or None where there is none.
GivenDepth = Callable[[int], UInt8[np.ndarray, "h w"] | None]

DEPTH_SUFFIXES = (".png", ".jpg", ".jpeg")
CELEBA_SPOOF_SIDE = 224  # the side of the frame in which CelebA-Spoof gives its boxes
#: The box of a face by its eyes: how far its sides are from the middle between them, in distances of the eyes. Ours:
#: the mean of the mesh's boxes over 26 frontal faces (a photo, its mirror image, simulated ones), each within a tenth.
LEFT, ABOVE, RIGHT, BELOW = 1.13, 0.77, 1.13, 1.74
MOST = 3  # the sides of a box at most, in longer sides of its frame


def given_boxes(recording: Recording) -> GivenBoxes:
    """Return the boxes that a data set gives with a recording, from its factors.

    - `box`: "left top right bottom" in pixels, for every frame.
    - `box_224`: "left top width height" in a frame of 224 x 224 pixels, as CelebA-Spoof gives it.
    - `boxes`: a text file with a line "frame left top width height" a frame, as Replay-Attack ships; a size of 0
      means that there is no face.
    - `eyes`: a text file with a line "frame,x,y,x,y" a frame, as OULU-NPU ships: the eyes, of which the box is guessed.

    Raises UserError if there is none of these, or if it is not numbers; what is returned does so for a box that is not
    finite or far larger than its frame.
    """
    boxes = _boxes(recording)

    def checked(position: int, width: int, height: int) -> Box | None:
        box, most = boxes(position, width, height), MOST * max(width, height)
        if box is not None and not (0 < box[2] - box[0] <= most and 0 < box[3] - box[1] <= most):  # nor with nan
            raise UserError(
                f"{recording.sources[0]}: the given box {box} of frame {position} is none in a frame of {width} x "
                f"{height} pixels; mend it, or use detector 'blazeface'"
            )
        return box

    return checked


def _boxes(recording: Recording) -> GivenBoxes:
    factors = recording.factors
    try:
        if "box" in factors:
            left, top, right, bottom = _numbers(factors["box"])
            if right <= left or bottom <= top:
                raise ValueError("the box is empty")
            return lambda position, width, height: (left, top, right, bottom)
        if "box_224" in factors:
            square = _corners(_numbers(factors["box_224"]))
            return lambda position, width, height: square and _scaled(square, width, height)
        if "boxes" in factors:
            boxes = {frame: _corners(rest) for frame, rest in _table(recording, "boxes")}
            return lambda position, width, height: boxes.get(position)
        if "eyes" in factors:
            around = {frame: _around(rest) for frame, rest in _table(recording, "eyes")}
            return lambda position, width, height: around.get(position)
    except (ValueError, OSError) as error:
        raise UserError(f"{recording.sources[0]}: the given boxes cannot be read ({error})") from error
    raise UserError(f"{recording.sources[0]}: no box is given with it; use detector 'blazeface'")


def _numbers(text: str) -> Box:
    a, b, c, d = (float(number) for number in text.split())
    return a, b, c, d


def _table(recording: Recording, factor: str) -> list[tuple[int, Box]]:
    """Read lines of a frame's number and four numbers, with spaces or commas between them.

    The file is named relative to the folder of the recording's first source. Raises ValueError if only some frames of
    what it describes were extracted: the numbers would be those of other frames.
    """
    path = recording.sources[0].parent / recording.factors[factor]
    lines = (line.replace(",", " ").split(maxsplit=1) for line in path.read_text().splitlines() if line.strip())
    table = [(int(frame), _numbers(rest)) for frame, rest in lines]
    last, count = max((frame for frame, _ in table), default=0), len(recording.sources)
    if is_image(recording.sources[0]) and count < WHOLE_SHARE * last:
        raise ValueError(f"{path.name} is of frame {last}, but there are {count} extracted frames; extract all")
    return table


def _corners(numbers: Box) -> Box | None:
    left, top, width, height = numbers
    return (left, top, left + width, top + height) if width > 0 and height > 0 else None


def _scaled(box: Box, width: int, height: int) -> Box:
    x, y = width / CELEBA_SPOOF_SIDE, height / CELEBA_SPOOF_SIDE
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def _around(eyes: Box) -> Box | None:
    x, y, other_x, other_y = eyes
    distance = float(np.hypot(other_x - x, other_y - y))
    middle_x, middle_y = (x + other_x) / 2, (y + other_y) / 2
    if distance == 0:
        return None
    return (
        middle_x - LEFT * distance,
        middle_y - ABOVE * distance,
        middle_x + RIGHT * distance,
        middle_y + BELOW * distance,
    )


def given_files(recording: Recording, boxes: bool = True) -> list[Path]:
    """Return the files that a data set gives with a recording, by its factors, and the folder of its depth maps.

    Without `boxes` those of boxes and eyes are left out. These need not be there.
    """
    factors, first = recording.factors, recording.sources[0]
    found = [first.parent / factors[name] for name in ("boxes", "eyes") if boxes and name in factors]
    if "depth_maps" in factors:
        folder = Path(factors["depth_maps"])
        is_photo = len(recording.sources) == 1 and is_image(first)  # whose maps lie among those of other photos
        maps = _map_paths(folder, first.stem) if is_photo else sorted(folder.glob("*"))
        found += [folder, *(path for path in maps if path.suffix.lower() in DEPTH_SUFFIXES and path.is_file())]
    return found


def given_depth(recording: Recording) -> GivenDepth | None:
    """Return the depth maps made elsewhere that factor `depth_maps` names, or None without that factor.

    The factor is a folder. The map of a photo or an extracted frame has its name, or its name and `_depth`, that of a
    video's frame the frame's number: `12.png`, `000012_depth.jpg`. Grey of 8 or 16 bits, white nearest, black behind
    the face; of the frame's shape, at any size.
    """
    if "depth_maps" not in recording.factors:
        return None
    folder = Path(recording.factors["depth_maps"])
    is_video = len(recording.sources) == 1 and not is_image(recording.sources[0])

    def read(position: int) -> UInt8[np.ndarray, "h w"] | None:
        stems = [str(position), f"{position:06d}"] if is_video else [recording.sources[position].stem]
        paths = (path for stem in stems for path in _map_paths(folder, stem))
        return next((_read_map(path) for path in paths if path.is_file()), None)

    return read


def _map_paths(folder: Path, stem: str) -> list[Path]:
    return [folder / f"{stem}{end}{suffix}" for end in ("", "_depth") for suffix in DEPTH_SUFFIXES]


def _read_map(path: Path) -> UInt8[np.ndarray, "h w"]:
    levels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    if levels is None:
        raise UserError(f"{path}: this depth map cannot be decoded; make it again, or take it away")
    return (levels // 256 if levels.dtype == np.uint16 else levels).astype(np.uint8)
