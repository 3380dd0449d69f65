"""The report of a preparation: what was found in every part of a data set, to look at before anyone trains on it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dgfas.core.errors import UserError
from dgfas.core.files import read_json, write_whole
from dgfas.core.label import Label
from dgfas.core.manifest import PREPARED_NAME, Manifest, read_recordings
from dgfas.core.recording import SPLITS
from dgfas.faces.prepare import RECORDINGS_NAME
from dgfas.faces.sheet import sheet
from dgfas.reporting.html.pictures import Picture, data_address
from dgfas.reporting.html.template import render
from dgfas.reporting.html.words import Table
from dgfas.reporting.roc import COLOURS, STYLE
from dgfas.reporting.tables import percent

SHOWN_FRAMES = 12  # a part and species
SHOWN_REJECTED = 200
JPEG_QUALITY = 85
ANGLES = ("yaw", "pitch", "roll")
KEYS = ["domain", "split", "species"]


def write_preparation_report(root: Path, out: Path) -> None:
    """Write what was prepared into folder `root` as one HTML file that needs no other.

    It shows, by split and species, crops with their depth maps, recordings and frames with and without a face, sizes
    and poses of the faces, and the rejected recordings with their reasons. Raises UserError if `root` was not
    prepared from photos or videos.
    """
    manifest = Manifest.read(root)
    try:
        recordings = read_recordings(root / RECORDINGS_NAME)
        options = read_json(root / PREPARED_NAME)
    except OSError as error:
        raise UserError(f"{error.filename}: not found; this report is of data sets made by `dgfas prepare`") from error
    page = render(
        "preparation.html",
        root=root.name,
        data_hash=manifest.content_hash,
        counts=counts_table(recordings),
        sheets=[*_sheets(manifest)],
        histograms=_histograms(manifest.frames) if len(manifest.frames) else [],
        rejected=rejected_table(manifest.rejected),
        options=Table(
            "Options", ("option", "value"), [(name, str(value)) for name, value in options.items()], texts=True
        ),
    )
    write_whole(out, page)


def counts_table(recordings: pd.DataFrame) -> Table:
    """Return a row a domain, split and species: how much there is, and of how much a face was found."""
    rows = []
    for keys, group in _parts(recordings):
        tried, unreadable, without = (int(group[f"frames_{n}"].sum()) for n in ("tried", "unreadable", "without_face"))
        rejected = int(group["reason"].notna().sum())
        rows.append(
            (
                *keys,
                str(group["subject"].nunique()),
                str(len(group)),
                str(rejected),
                percent(rejected / len(group)),
                str(tried),
                percent((tried - unreadable - without) / tried) if tried else "–",
                str(unreadable),
                str(int((group["most_faces"] > 1).sum())),
            )
        )
    columns = (*KEYS, "subjects", "recordings", "rejected", "rejected %", "frames tried", "with a face %")
    notes = (
        "A rejected recording has no usable face in any frame; it is a non-response in every evaluation.",
        "Several faces: recordings in which a frame showed more than one; the largest was taken.",
    )
    return Table("What was found", (*columns, "unreadable", "several faces"), rows, notes, headings=3)


def rejected_table(rejected: pd.DataFrame) -> Table:
    """Return the rejected recordings with their reasons, the first `SHOWN_REJECTED` of them."""
    columns = (*KEYS, "recording", "reason")
    rows = [tuple(map(str, row)) for row in rejected[list(columns)].head(SHOWN_REJECTED).itertuples(index=False)]
    left_out = len(rejected) - len(rows)
    notes = (f"{left_out} more are in rejected.csv.",) if left_out else ()
    return Table(f"Rejected recordings: {len(rejected)}", columns, rows, notes, headings=3, texts=True)


def _parts(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame]]:
    """Yield the rows of each domain, split and species, in the order of splits."""
    parts = [(tuple(map(str, keys)), group) for keys, group in rows.groupby(KEYS, sort=True)]
    yield from sorted(parts, key=lambda part: (part[0][0], SPLITS.index(part[0][1]), part[0][2]))  # type: ignore[misc]


def _sheets(manifest: Manifest) -> Iterator[Picture]:
    for (domain, split, species), group in _parts(manifest.frames):
        chosen = group.iloc[np.unique(np.linspace(0, len(group) - 1, SHOWN_FRAMES).round().astype(int))]
        title = f"{domain}, {split}, {species}"
        caption = f"{len(chosen)} of {len(group)} frames, evenly spaced; beside each crop its depth map over it."
        yield Picture(_jpeg(sheet(manifest, chosen, columns=4, overlay=True)), f"Face crops: {title}", title, caption)


def _jpeg(image: UInt8[np.ndarray, "h w 3"]) -> str:
    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"


def _histograms(frames: pd.DataFrame) -> list[Picture]:
    """Return the sizes of the faces' boxes and the angles of the heads, live over spoof."""
    sides = frames.assign(
        side=np.maximum(frames["box_right"] - frames["box_left"], frames["box_bottom"] - frames["box_top"])
    )
    size = _histogram(sides, {"side": "longer side of the face's box (pixels)"})
    pose = _histogram(frames, {angle: f"{angle} (degrees)" for angle in ANGLES})
    return [
        Picture(data_address(size, "png"), "Histogram of face sizes", "Size of the faces", "In pixels of the frames."),
        Picture(
            data_address(pose, "png"),
            "Histograms of yaw, pitch and roll",
            "Pose of the heads",
            "An estimate from the mesh, of frames in which it was found.",
        ),
    ]


def values_by_class(frames: pd.DataFrame, column: str) -> dict[str, Float[np.ndarray, " n"]]:
    """Return a column's values of live and of spoof frames; frames without a label or a value are in neither."""
    labelled = frames[["label", column]].dropna()
    return {each.word: labelled.loc[labelled["label"] == each, column].to_numpy(float) for each in Label}


def _histogram(frames: pd.DataFrame, columns: dict[str, str]) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * len(columns), 2.8), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, (column, label) in zip(
            figure.subplots(1, len(columns), squeeze=False)[0], columns.items(), strict=True
        ):
            values = values_by_class(frames, column)
            edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=24)
            for (name, numbers), colour in zip(values.items(), COLOURS, strict=False):
                axes.hist(numbers, edges, color=colour, alpha=0.6, label=f"{name}, {len(numbers)} frames")
            axes.set(xlabel=label, ylabel="frames")
            axes.legend(fontsize=8)
    return figure
