"""What stands around every answer: security headers, and one count."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dgfas.deployment.service.metrics import Metrics

#: The pages load nothing from elsewhere, run no script from within the page, and stand in nobody's frame.
POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Surroundings:
    """Adds the headers and counts the request; plain ASGI, so that a body is passed on as it comes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/v1/") else "no-cache")
                self.metrics.count_request(_route(scope), message["status"])
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _route(scope: Scope) -> str:
    """Return the path of the route that answered: a client cannot make up new ones."""
    return str(getattr(scope.get("route"), "path", "other"))
