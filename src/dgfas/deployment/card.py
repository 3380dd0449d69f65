"""The model card inside a model file, written from its facts."""

from typing import Any

from dgfas.deployment.model_file import ModelFacts
from dgfas.evaluation.scores import LEVELS

_CARD = """# {method}: live or spoof, from an image of a face

Run `{run}`, checkpoint {checkpoint} of {iterations} iterations, chosen by {selection}, seed {seed}; {precision}.
Trained on {sources}; {held_out}.
{adapts}
## Decision

Live if and only if P(live) reaches the threshold. On the source development data that fixed it, scored in training:

| by | rows | HTER % | AUC | threshold |
| --- | --- | --- | --- | --- |
{rates}

Expect more errors on a domain that it has not seen; `dgfas evaluate` measures them.

## Input

One upright face, cut out as a square with a margin of {margin:g} of its side, align {align}, resized to {side} px; RGB
and HSV ({hsv}) as bytes.

## Data

By folder, the SHA-256 of the manifest:

{data}

## Fidelity

{frames} development frames, read from their files, score within {largest_difference:.1e} of the training checkpoint
(allowed {allowed:g}).
{in_8_bits}
## Limits

Certified to no standard, and no sole guard of anything: attack instruments, cameras and lights unlike those of the data
may pass. It says nothing about who the person is.
"""

_IN_8_BITS = """
That is in 32 bits. The convolutions of this file compute in 8 bits, which changes scores. On all source development
data, at the same thresholds:

| by | HTER % in training | HTER % in 8 bits | AUC in training | AUC in 8 bits |
| --- | --- | --- | --- | --- |
{rates}

HTER moves by {change:.2f} points, {verdict} the {allowed:g} that are allowed.
"""

_ADAPTS = """
The method adapts to unlabelled images of a target before it scores them, and `dgfas evaluate` measures it so. A file
that answers one image at a time cannot: it holds the network as it was trained, without that step, as the development
data were scored.
"""


def model_card(facts: ModelFacts, adapts_to_target: bool) -> str:
    """Return the card as Markdown. `adapts_to_target`: the method does, the file cannot."""
    about, cut = facts.provenance, facts.preprocessing
    rates = ((level, about["development"][level], facts.thresholds[level]) for level in LEVELS)
    return _CARD.format(
        method=facts.method,
        precision=facts.precision,
        **{key: about[key] for key in ("run", "checkpoint", "iterations", "selection", "seed")},
        sources=", ".join(about["sources"]),
        held_out=f"{about['target']} was not touched" if about["target"] else "no domain was held out",
        adapts=_ADAPTS if adapts_to_target else "",
        rates="\n".join(f"| {by} | {r['rows']} | {100 * r['hter']:.2f} | {r['auc']:.4f} | {t} |" for by, r, t in rates),
        margin=cut.margin,
        align=cut.align,
        side=facts.image_size,
        hsv=facts.hsv,
        data="\n".join(f"- `{one['folder']}`, manifest {one['manifest_sha256']}" for one in about["data"]),
        **about["parity"],
        in_8_bits=_in_8_bits(about["development"], about["int8"]) if facts.precision == "int8" else "",
    )


def _in_8_bits(before: dict[str, Any], change: dict[str, Any]) -> str:
    after = change["development"]
    pairs = [(level, before[level], after[level]) for level in LEVELS]
    moved, allowed = 100 * change["largest_hter_change"], 100 * change["hter_change_allowed"]
    return _IN_8_BITS.format(
        rates="\n".join(
            f"| {level} | {100 * b['hter']:.2f} | {100 * a['hter']:.2f} | {b['auc']:.4f} | {a['auc']:.4f} |"
            for level, b, a in pairs
        ),
        change=moved,
        allowed=allowed,
        verdict="within" if moved <= allowed else "which whoever exported it accepted, beyond",
    )
