"""Pages of an operator, which are made once for all who ask at the same time.

They need no token, and ask the database over the few connections that tokens are looked up by: so
however many ask, one of them does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[[Request], Awaitable[Response]]


def answered_together(endpoint: Endpoint) -> Endpoint:
    """The endpoint, of which those who ask while an answer is being made get that one."""
    making: asyncio.Future[Response] | None = None

    async def answer(request: Request) -> Response:
        nonlocal making
        if making is None or making.done():
            making = asyncio.ensure_future(endpoint(request))
        made = await asyncio.shield(making)
        # Each its own: what is around the endpoint changes the headers.
        return Response(made.body, made.status_code, dict(made.headers))

    return answer
