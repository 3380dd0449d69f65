"""Which way up a recording is: what its data set says, what the file's tag says, and where the face is."""

import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.core.recording import Recording
from dgfas.faces.finder import FaceCrop, FaceFinder
from dgfas.faces.frames import is_image
from dgfas.faces.images import exif_turns
from dgfas.faces.video import tagged_turns

#: Scores of the detector and angles in degrees, ours: upright faces, blurred or dark, scored above 0.84, and those
#: upside down, which the mesh takes for upright, about 0.6; a face on its side keeps its score but leans by 70 to 90.
SURE, BETTER = 0.75, 0.15
LEANING, UPRIGHT = 60.0, 45.0


def turns_needed(recording: Recording) -> int:
    """Return the counter-clockwise quarter turns that make frames upright after the file's own tag was followed.

    Factor `quarter_turns` says how the frames are stored; a video or photo whose tag says the same needs no more (of
    several photos the first one's tag counts). Raises UserError if the tag says something else: one of the two must be
    wrong.
    """
    known = int(recording.factors.get("quarter_turns", 0)) % 4
    if known == 0:
        return 0
    first = recording.sources[0]
    tagged = exif_turns(first) if is_image(first) else tagged_turns(first)
    if tagged not in (0, known):
        raise UserError(
            f"{first}: its rotation tag says {90 * tagged} degrees, the data set {90 * known}; one of them contradicts "
            "the frames: look at it and correct or remove the tag"
        )
    return 0 if tagged else known


def turn_hint(image: UInt8[np.ndarray, "h w 3"], found: FaceCrop, finder: FaceFinder) -> str | None:
    """Return a line if the face in a frame seems to lie on its side or upside down, else None. It is a guess.

    `found` is what the finder made of `image` as it is. Only a face that leans by more than 60 degrees, that the
    detector is not sure of (below 0.75) or that is not there at all is looked for in the turned frame, too.
    """
    score, lean = found.score or 0.0, _lean(found)
    if finder.options.detector != "blazeface" or (score >= SURE and lean <= LEANING):
        return None
    best, best_turns = score + BETTER, 0
    for turns in (1, 2, 3):
        turned = finder.find(np.ascontiguousarray(np.rot90(image, turns)))
        if turned.score is not None and _lean(turned) < UPRIGHT:
            better = turned.score if lean <= LEANING else turned.score + 1  # what leans stands better by any turn
            if better > best:
                best, best_turns = better, turns
    if not best_turns:
        return None
    return (
        f"the face is seen better when turned by {90 * best_turns} degrees counter-clockwise: the rotation tag is "
        "missing or contradicts the frames; look, correct it (ffmpeg -display_rotation) and prepare again"
    )


def _lean(found: FaceCrop) -> float:
    return 0.0 if found.angles is None else abs(found.angles[2])
