"""The page of the simulated data set's card: a table of what was measured, and what falls short of the rule."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from dgfas.benchmark.probes import PROBES, TEXTURE_PROBES, TRIVIAL_PROBES, folded
from dgfas.simulation import CAPTURE_DOMAINS
from dgfas.simulation.data_set import VERSION

LEAST_INTRA = 0.97
UNSEEN_RANGE = (0.70, 0.93)
PROBE_DISTANCE = 0.03  # of each trivial probe below the CNN, on the mean of the tasks

INTRODUCTION = """\
# The simulated data set

Four capture domains of rendered faces with true depth, and of print, cut-print and replay attacks made from them.
They differ in the way in which four public data sets of the field differ, and are none of them:

| domain | light | background | cameras | attacks |
| --- | --- | --- | --- | --- |
| desk | steady | cluttered | three, of very different quality | warped print, cut print, tablet |
| webcam | two kinds, one from the side | plain or cluttered | one, small and noisy | print, two screens |
| laptop | steady, with mains flicker | cluttered | a laptop's and a phone's | glossy print, tablet, phone |
| phone | three sessions | plain | six phones | two printers, two screens |

Each domain is a YAML file in `src/dgfas/simulation/domains/` that names every quantity with its unit. A domain of your
own is a file of the same form: `dgfas simulate OUT --domain my-domain.yaml`.

![One row a domain: live faces, their true depth, prints, replays](images/simulation-sheet.png)

## What it is for, and what not

It serves to try out training, domain discovery and evaluation where no licensed data are at hand, and to compare
methods under a shift that is known: each row of the manifest names camera, lighting, place, instrument, pose and more
in the columns `factor_*`. It says nothing about error rates on real faces. The faces look like mannequins.

How the domains differ on purpose:

- Kinds of artefact differ by domain and not only their strength. desk: colour dots, folds and a pixel lattice; webcam:
  lines of the print head and rolling bands; laptop: grain, gloss and curved fringes; phone: fibres, squares of the
  video's compression and broad fringes. A weak rest is shared.
- Live captures have harmless texture of their own (coarse JPEG, sensor columns, mains flicker, colour-filter checks),
  so that "any texture is an attack" fails on the domain that was not seen.
- Exposure, contrast, white balance, colour spread and fine detail of every image are brought to targets that are drawn
  by one rule for live and spoof, so that tone curves of paper and screens give nothing away.
- A known correlation between class and capture (brightness, contrast, saturation, warmth, blur, detail) has other signs
  in other domains. `correlations.strength: 0` in a domain's YAML switches it off.

## The rule for a release

On data seeds not used in tuning (tuning used seeds 100 to 119; seeds 1 and 2 judged version 1, 3 and 4 version 2): the
plain CNN (`binary_cnn`, setting `small`, 600 iterations) reaches an AUC above .97 within each domain and between .70
and .93 on each unseen domain; each trivial probe, read as max(AUC, 1 - AUC), stays at least .03 below the CNN on the
mean of the unseen domains. LBP may be strong.
Within a domain: trained on its train subjects, measured on its test subjects. Unseen: trained on the other three.
The AUC on one unseen domain moves by a tenth or more from one training or data seed to the next; compare methods on the
mean of the tasks, over several seeds, and with the same seeds for each method.
"""


#: Of the drawing itself; a mended one would be another version.
KNOWN_FAULTS = (
    "- The holes of a cut photograph (domain desk) move against the head's turn instead of with it, so that in many "
    "recordings brow or cheek shows through them instead of the eyes.",
)


def write_card(results: Path, page: Path, planned: int) -> None:
    """Write the card from the JSON files in folder `results`; `planned` is how many a complete measurement has."""
    rows = [json.loads(path.read_text()) for path in sorted(results.glob(f"v{VERSION}-*.json"))]
    parts = [INTRODUCTION, "## What was measured\n"]
    if rows:
        table = pd.DataFrame(rows)
        parts += [_table(table), "", _note(table, planned), "\n## What falls short\n", *_shortfalls(table), ""]
        made_by = [row["made_by"] for row in rows]
        commits, machines = ({str(facts[key]) for facts in made_by} for key in ("commit", "machine"))
        torches = {facts["torch"] for facts in made_by if "torch" in facts}
        parts.append(
            f"Measured by `make simulation-card` at commit {', '.join(sorted(commits))}, "
            f"on {', '.join(sorted(machines))}, torch {', '.join(sorted(torches))}."
        )
    else:
        parts.append("Nothing yet; `make simulation-card` measures it.")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(parts) + "\n")


def _areas(table: pd.DataFrame, kind: str, target: str) -> np.ndarray:
    return table.loc[(table["kind"] == kind) & (table["target"] == target), "auc"].to_numpy(dtype=float)


def _read(kind: str, areas: np.ndarray) -> np.ndarray:
    """Return the areas as the rule reads them: a probe's sign does not matter."""
    return np.array([folded(area) for area in areas]) if kind.startswith("probe-") else areas


def _mean(table: pd.DataFrame, kind: str) -> float:
    """Return the mean over domains of the mean over runs; NaN where a domain is not measured."""
    means = []
    for target in CAPTURE_DOMAINS:
        areas = _read(kind, _areas(table, kind, target))
        means.append(areas.mean() if len(areas) else np.nan)
    return float(np.mean(means))


def _table(table: pd.DataFrame) -> str:
    lines = [
        "AUC, mean ± standard deviation over runs.\n",
        "| | " + " | ".join(CAPTURE_DOMAINS) + " | mean |",
        "| --- |" + " --- |" * (len(CAPTURE_DOMAINS) + 1),
    ]
    names = {"intra": "CNN, within the domain", "unseen": "CNN, unseen domain"}
    names |= {f"probe-{name}": f"{name}, unseen domain, max(AUC, 1 - AUC)" for name in PROBES}
    for kind, name in names.items():
        cells = []
        for target in CAPTURE_DOMAINS:
            areas = _read(kind, _areas(table, kind, target))
            deviation = f" ± {areas.std(ddof=1):.3f}" if len(areas) > 1 else ""
            cells.append(f"{areas.mean():.3f}{deviation}" if len(areas) else "-")
        mean = _mean(table, kind)
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {'-' if np.isnan(mean) else f'{mean:.3f}'} |")
    return "\n".join(lines)


def _note(table: pd.DataFrame, planned: int) -> str:
    trained = table[table["training_seed"].notna()]
    per_cell = trained.groupby(["kind", "target"]).size()
    span = " to ".join(str(count) for count in sorted({per_cell.min(), per_cell.max()})) if len(per_cell) else "no"
    complete = (
        "" if len(table) >= planned else f" {len(table)} of {planned} planned runs are done; calling again goes on."
    )
    seeds = ", ".join(str(seed) for seed in sorted(set(table["data_seed"])))
    return f"Data seeds {seeds}; {span} trainings a cell.{complete}"


def _shortfalls(table: pd.DataFrame) -> Iterable[str]:
    faults = []
    for target in CAPTURE_DOMAINS:
        intra, unseen = _areas(table, "intra", target), _areas(table, "unseen", target)
        if len(intra) and intra.mean() <= LEAST_INTRA:
            faults.append(f"- Within {target}: {intra.mean():.3f}, which is not above {LEAST_INTRA}.")
        if len(unseen) and not UNSEEN_RANGE[0] <= unseen.mean() <= UNSEEN_RANGE[1]:
            low, high = UNSEEN_RANGE
            faults.append(f"- Unseen {target}: {unseen.mean():.3f}, which is not between {low:.2f} and {high:.2f}.")
        if not len(intra) or not len(unseen):
            faults.append(f"- {target}: not all kinds of run are done.")
    network = _mean(table, "unseen")
    for name in TRIVIAL_PROBES:
        gap = network - _mean(table, f"probe-{name}")
        if not gap >= PROBE_DISTANCE:
            faults.append(f"- The probe {name} is {gap:.3f} below the CNN; {PROBE_DISTANCE:.2f} is asked for.")
    for name in TEXTURE_PROBES:
        faults.append(f"- For information: {name} reaches {_mean(table, f'probe-{name}'):.3f}; it has no limit.")
    return [*faults, *KNOWN_FAULTS]
