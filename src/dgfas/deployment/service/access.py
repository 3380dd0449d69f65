"""Who may ask: whoever knows the key; where there is none, this machine, but no page of another site."""

import hmac
import re
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dgfas.deployment.service.refusal import Refusal

_THIS_MACHINE = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?", re.IGNORECASE)


async def _not_from_elsewhere(request: Request) -> None:
    """Keep out pages of other sites that a browser on this machine shows: also those whose name leads here."""
    host, site = request.headers.get("Host", ""), request.headers.get("Sec-Fetch-Site")
    if not _THIS_MACHINE.fullmatch(host) or site == "cross-site":
        detail = "without an API key only 127.0.0.1 and localhost are answered, and no page of another site"
        raise Refusal(403, "from_elsewhere", detail)


def requires(key: str | None) -> list[Dependency]:
    """Return the dependencies of a route that needs `Authorization: Bearer KEY`, or this machine if there is no key."""
    if key is None:
        return [Depends(_not_from_elsewhere)]
    bearer = HTTPBearer(scheme_name="API key", description="The key of this service.", auto_error=False)
    expected = key.encode()

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), expected):
            fault = "missing" if given is None else "wrong"
            raise Refusal(
                401,
                f"key_{fault}",
                f"the API key is {fault}; send `Authorization: Bearer KEY`",
                {"WWW-Authenticate": "Bearer"},
            )

    return [Depends(check)]
