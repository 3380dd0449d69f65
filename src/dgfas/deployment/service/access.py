"""Who may ask: whoever knows the key, if there is one."""

import hmac
from typing import Annotated

from fastapi import Depends, Security
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dgfas.deployment.service.refusal import Refusal


def requires(key: str | None) -> list[Dependency]:
    """Return the dependencies of a route that needs `Authorization: Bearer KEY`; none where there is no key."""
    if key is None:
        return []
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
