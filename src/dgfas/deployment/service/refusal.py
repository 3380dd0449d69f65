"""Why a request gets no answer, as the client reads it."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException


class Refused(BaseModel):
    """The body of every answer that is not 2xx."""

    code: str = Field(description="A word for programs.", examples=["body_too_large"])
    detail: str = Field(description="A sentence for people.", examples=["the body has more than 20 MB"])


class Refusal(Exception):
    """A request that is refused with a `status`, a word for programs and a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}

    def response(self) -> JSONResponse:
        return JSONResponse({"code": self.code, "detail": self.detail}, self.status, self.headers)


#: What every request for an answer may be refused with.
REASONS = {
    400: "The multipart body is malformed or cut off.",
    401: "The API key is missing or wrong.",
    403: "The service has no key, and the request is for another host or from another site's page.",
    408: "The body did not arrive in time.",
    413: "More bytes, pixels, frames or seconds than are taken.",
    415: "Not a photo or video of a kind that is read.",
    422: "No file, an empty, damaged or truncated one, or a video beside other files.",
    429: "Too many requests of this client at once; see Retry-After.",
    503: "Too many requests of all clients at once; see Retry-After.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals for a route's OpenAPI entry."""
    return {status: {"model": Refused, "description": REASONS[status]} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Let every error of `app` have the same form."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return error.response()

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        return Refusal(error.status_code, code, str(error.detail), dict(error.headers or {})).response()

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return Refusal(500, "internal", "the service failed on this request").response()
