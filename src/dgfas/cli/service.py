"""The verb that answers over HTTP: serve."""

import math
from pathlib import Path
from typing import Annotated

import typer

from dgfas.cli.shared import say
from dgfas.core.errors import UserError


def serve(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File written by `dgfas export`.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that other machines reach needs a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            envvar="DGFAS_API_KEY",
            show_envvar=False,
            help="What clients must send; better in the environment variable DGFAS_API_KEY.",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Requests scored at once.  [default: all cores]")] = None,
    waiting: Annotated[int, typer.Option(help="Requests that may wait besides; more are told 503.")] = 16,
    per_client: Annotated[int, typer.Option(help="Requests of one address at once; more are told 429.")] = 8,
    max_megabytes: Annotated[float, typer.Option(help="Of a request.")] = 20,
    max_megapixels: Annotated[float, typer.Option(help="Of a photo or of a video's frame.")] = 50,
    max_frames: Annotated[int, typer.Option(help="Photos in a request.")] = 32,
    max_seconds: Annotated[float, typer.Option(help="Length of a video.")] = 30,
) -> None:
    """Answer over HTTP, with a camera page.

    Only this machine is answered unless --host says otherwise. Images are neither stored nor logged.

    Example: dgfas serve model.onnx
    """
    try:
        from dgfas.deployment.service.run import serve as run
        from dgfas.deployment.service.settings import ServiceLimits, cores
    except ImportError as error:
        raise UserError(f'the service needs {error.name}: pip install "dgfas[serve]"') from error

    numbers = {"megabytes": max_megabytes, "megapixels": max_megapixels, "seconds": max_seconds}
    for name, number in numbers.items():
        if not 0 < number * 1e6 < math.inf:
            raise UserError(f"--max-{name} {number}: give a number above 0")
    limits = ServiceLimits(
        body_bytes=int(max_megabytes * 1e6),
        pixels=int(max_megapixels * 1e6),
        frames=max_frames,
        seconds=max_seconds,
        workers=cores() if workers is None else workers,
        waiting=waiting,
        per_client=per_client,
    )
    run(model, host, port, api_key, limits, say)
