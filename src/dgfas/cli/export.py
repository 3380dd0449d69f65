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
) -> None:
    """Write a run as one file that scores without torch.

    The file is written only if it scores development frames, read from their files, as the run does. --data names the
    run's data where they have moved.

    Example: dgfas export runs/rfm --out model.onnx
    """
    from dgfas.deployment.export import export_run

    out = out or run / "model.onnx"
    with bars() as report:
        facts = export_run(run, out, roots=data, report=report)
    parity = facts.provenance["parity"]
    say(f"{out}: {facts.method}, {facts.precision}, {out.stat().st_size / 1e6:.2f} MB")
    say(f"  {parity['frames']} frames score within {parity['largest_difference']:.1e} of the run")
    say(f"  threshold {facts.thresholds['frame']}")
