"""What the endpoints for events share: the token, the limits, and storing as `eventsIngest` does.

They take access tokens only. Browser sessions do not count here, so no page can send events for
a visitor.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from config import tracing
from metering.ingest.events import EventDraft
from metering.ingest.storing import InvalidEventPolicy, Receipt
from metering.problems import Problem
from resolvers.ingesting import MAY_INGEST, ingest_events
from schema import repeating
from schema.context import Context
from schema.credentials import bearer, identify
from schema.errors import BadUserInput, Forbidden, Unauthenticated
from transport.answering import answered, denied, refused
from transport.http import GraphQLApplication
from transport.http_request import HTTPError, body_as_json, read_body, turn_of
from transport.measured_requests import RequestKind
from waiting.outages import cut_off_is_outage

T = TypeVar("T")


@dataclass(frozen=True)
class Arrival:
    """A request whose sender may store events."""

    request: Request
    context: Context
    api: GraphQLApplication

    async def body(self) -> bytes:
        """Counts the request and reads its body; raises HTTPError 429 or 413."""
        await self.api.operations.limit(self.context.caller)
        return await read_body(self.request, self.api.settings.max_body_bytes)

    async def parsed(self, body: bytes, but_in: str) -> Any:
        """Reads the body as JSON when it is its turn; raises HTTPError 400.

        `but_in` is the key of an event's own data. A duplicate key in there refuses the event only.
        """
        await turn_of(self.context, len(body))
        value = body_as_json(body, but_in)
        await turn_of(self.context, len(body))
        return value

    async def store(
        self,
        events: Sequence[T],
        check: Callable[[T, datetime], EventDraft | Problem],
        policy: InvalidEventPolicy,
        *,
        is_repeatable: Callable[[], bool],
    ) -> list[Receipt]:
        """Stores events; raises RefusedError for too many.

        `is_repeatable` tells, after an outage, whether sending them again stores them only once.
        """
        repeating.begin(is_repeatable)
        with cut_off_is_outage():  # a smaller request would not help
            return await ingest_events(self.context, events, check, policy)


class EventsEndpoint(ABC):
    """Answers POST; `app.state.graphql` must be an open GraphQLApplication."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        api: GraphQLApplication = scope["app"].state.graphql
        request = Request(scope, receive)
        begun = time.perf_counter()

        def refuse(refusal: HTTPError) -> Response:
            api.requests.failed(refusal.error)
            return self.refused(refusal, request)

        with repeating.attempt(), tracing.received("events over HTTP", request.headers) as span:
            response = await answered(
                lambda: self._answer(request, api),
                api.connections,
                api.settings.request_timeout_seconds,
                refuse,
            )
            span.note(status=response.status_code)
        api.requests.answered(RequestKind.EVENTS, time.perf_counter() - begun)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, request: Request, api: GraphQLApplication) -> Response:
        if request.method != "POST":
            raise HTTPError(405, BadUserInput("Use POST"), {"allow": "POST"})
        return await self.received(Arrival(request, await _context(request, api), api))

    @abstractmethod
    async def received(self, arrival: Arrival) -> Response:
        """Stores the events of a request and answers it; raises HTTPError."""

    def refused(self, refusal: HTTPError, request: Request) -> Response:
        """Builds the response to a refused request."""
        del request
        return refused(refusal)


async def _context(request: Request, api: GraphQLApplication) -> Context:
    """Returns the context of a sender who may store events; raises HTTPError 401 or 403."""
    context = Context(services=api.services)
    try:
        authorization = request.headers.get("authorization")
        if authorization:
            context.caller = await identify(bearer(authorization), api.services.secrets)
        MAY_INGEST.check(context)
    except (Forbidden, Unauthenticated) as error:
        raise denied(error) from None
    return context
