"""The verb that ships a run: export."""

from pathlib import Path
from typing import Annotated

import typer

from dgfas.cli.runs import Roots
from dgfas.cli.shared import bars, say


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run of a learned method.")],
    out: Annotated[Path | None, typer.Option(help="The model file.  [default: RUN/model.onnx]")] = None,
    data: Roots = [],  # noqa: B006
    int8: Annotated[bool, typer.Option("--int8", help="Compute the convolutions in 8 bits: faster.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Write it even if 8 bits move HTER by more than half a point.")
    ] = False,
) -> None:
    """Write a run as one file that scores without torch.

    The file is written only if it scores development frames, read from their files, as the run does; in 8 bits, if HTER
    on source development data stays. --data names the run's data where they have moved.

    Example: dgfas export runs/rfm --out model.onnx
    """
    from dgfas.deployment.export import export_run

    out = out or run / "model.onnx"
    with bars() as report:
        facts = export_run(run, out, roots=data, int8=int8, accept_loss=accept_loss, report=report)
    parity = facts.provenance["parity"]
    say(f"{out}: {facts.method}, {facts.precision}, {out.stat().st_size / 1e6:.2f} MB")
    say(
        f"  {parity['frames']} frames score within {parity['largest_difference']:.1e} of the run"
        + (" in 32 bits" if int8 else "")
    )
    for level, before in facts.provenance["development"].items() if int8 else ():
        after = facts.provenance["int8"]["development"][level]
        say(
            f"  8 bits, source development {level}s: HTER {100 * before['hter']:.2f} -> {100 * after['hter']:.2f} %, "
            f"AUC {before['auc']:.4f} -> {after['auc']:.4f}"
        )
    say(f"  threshold {facts.thresholds['frame']}")
