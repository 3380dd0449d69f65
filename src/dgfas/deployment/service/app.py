"""The service: its routes, around one detector."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dgfas.deployment.detector import Detector
from dgfas.deployment.service.access import requires
from dgfas.deployment.service.gate import RETRY, Gate
from dgfas.deployment.service.headers import Surroundings
from dgfas.deployment.service.metrics import Metrics
from dgfas.deployment.service.refusal import Refusal, add_handlers, documented
from dgfas.deployment.service.schema import Health, ModelAnswer, ScoreAnswer, Timing, model_answer, score_answer
from dgfas.deployment.service.scoring import Scored, score
from dgfas.deployment.service.settings import ServiceLimits
from dgfas.deployment.service.upload import FIELD, RAW_TYPES, read_upload
from dgfas.faces.source import InMemory

WEB = Path(__file__).parents[1] / "web"
ABOUT = """Says whether a face before a camera is live or an attack (a print, a replay, a mask).

`POST /v1/score` takes a photo, several frames of one presentation, or a short video. Only the decision `live` may open
a door; where there is no decision, `reason` says what the picture lacks. Images are neither stored nor logged."""
_FILE = {"type": "string", "format": "binary"}


def body_schema() -> dict[str, Any]:
    """Return the OpenAPI entry of the files that a request holds."""
    form = {
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {FIELD: {"type": "array", "items": _FILE, "minItems": 1}},
    }
    content = {"multipart/form-data": form, **dict.fromkeys(RAW_TYPES, _FILE)}
    return {"required": True, "content": {media_type: {"schema": schema} for media_type, schema in content.items()}}


def create_app(detector: Detector, limits: ServiceLimits | None = None, key: str | None = None) -> ASGIApp:
    """Return the service as an ASGI application. `key`: what clients must send; None lets this machine in."""
    limits = limits or ServiceLimits()
    gate = Gate(limits.at_once, limits.per_client)
    metrics = Metrics(detector, gate)
    pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="scoring")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        pool.shutdown()

    app = FastAPI(
        title="dgfas", description=ABOUT, version=version("dgfas"), docs_url=None, redoc_url=None, lifespan=lifespan
    )
    add_handlers(app)
    app.mount("/static", StaticFiles(directory=WEB))
    guarded = requires(key)
    of_guarded = documented(403 if key is None else 401)

    @app.post(
        "/v1/score",
        summary="Is this face live?",
        tags=["scoring"],
        dependencies=guarded,
        responses=of_guarded | documented(400, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": body_schema()},
    )
    async def answer(request: Request) -> ScoreAnswer:
        """Score a photo, frames of one presentation in their order, or a video of which eight frames are taken."""
        start = time.perf_counter()
        with gate.entered(request.client.host if request.client else ""):
            files = await read_upload(request, limits)
            received = time.perf_counter()
            scored, begun = await asyncio.get_running_loop().run_in_executor(pool, work, files)
        now = time.perf_counter()
        spans = received - start, begun - received, scored.decode_seconds, scored.score_seconds, now - start
        milliseconds = Timing(**dict(zip(Timing.model_fields, (round(1000 * span, 2) for span in spans), strict=True)))
        metrics.count_answer(scored.answer, milliseconds)
        return score_answer(detector, scored, milliseconds)

    def work(files: list[InMemory]) -> tuple[Scored, float]:
        begun = time.perf_counter()
        return score(detector, files, limits), begun

    @app.get("/v1/model", summary="Which model answers?", tags=["scoring"], dependencies=guarded, responses=of_guarded)
    async def model() -> ModelAnswer:
        """The model file, its thresholds with their provenance, and the limits of a request."""
        return model_answer(detector, limits)

    @app.get("/healthz", summary="Is the process alive?", tags=["operation"])
    async def alive() -> Health:
        return Health(status="alive")

    @app.get("/readyz", summary="Would a request be taken?", tags=["operation"], responses=documented(503))
    async def ready() -> Health:
        if gate.is_full:
            raise Refusal(503, "busy", "as many requests are being answered as are taken", RETRY)
        return Health(status="ready")

    @app.get(
        "/metrics",
        summary="Numbers for Prometheus",
        tags=["operation"],
        dependencies=guarded,
        responses=of_guarded | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        response_class=Response,
    )
    async def measured() -> Response:
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def camera_page() -> FileResponse:
        return FileResponse(WEB / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def interface_page() -> FileResponse:
        return FileResponse(WEB / "docs.html")

    return Surroundings(app, metrics)
