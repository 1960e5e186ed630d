"""Builds responses for requests that fail before there is a result."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from schema.errors import APIError, BadUserInput, Forbidden, Unauthenticated
from transport.connections import OpenConnections
from transport.failures import cut_off, failure, took_too_long
from transport.http_request import GRAPHQL_JSON, JSON, HTTPError
from transport.http_response import encode_json
from waiting.outages import is_outage

RETRY_AFTER = "5"  # seconds
_STATUS = {BadUserInput: 400, Unauthenticated: 401, Forbidden: 403}


def refused(refusal: HTTPError, media: str = JSON) -> Response:
    """Builds the response to a refused request, with a GraphQL error."""
    headers: Mapping[str, str] = refusal.headers
    media = media if media in {JSON, GRAPHQL_JSON} else JSON
    body = {"errors": [refusal.error.formatted]}
    return Response(encode_json(body), refusal.status, dict(headers), media)


async def answered(
    answer: Callable[[], Awaitable[Response]],
    connections: OpenConnections,
    seconds: float,
    refuse: Callable[[HTTPError], Response] = refused,
) -> Response:
    """Returns the response of `answer` within a time limit, or one that says why there is none."""
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await answer()
    except ClientDisconnect:
        return Response(status_code=499)  # the client has gone
    except HTTPError as error:
        refusal = error
    except asyncio.CancelledError:
        if not connections.ending:
            raise
        refusal = _unavailable(cut_off())
    except Exception as error:  # noqa: BLE001  # the client must not see the details of a bug
        if isinstance(error, TimeoutError) and deadline.expired():
            refusal = _unavailable(took_too_long(seconds))
        elif is_outage(error):
            refusal = _unavailable(failure(error))
        else:
            refusal = HTTPError(500, failure(error))
    return refuse(refusal)


def _unavailable(error: APIError) -> HTTPError:
    """Builds the refusal of a request that is not answered now; says when to repeat it, if ever."""
    may_repeat = (error.extensions or {}).get("retryable", False)
    return HTTPError(503, error, {"retry-after": RETRY_AFTER} if may_repeat else None)


def denied(error: APIError) -> HTTPError:
    """Builds the refusal of a caller."""
    status = _STATUS[type(error)]
    return HTTPError(status, error, {"www-authenticate": "Bearer"} if status == 401 else None)
