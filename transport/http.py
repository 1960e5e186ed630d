"""The ASGI application of the API: GraphQL over HTTP, server-sent events and WebSocket.

HTTP follows https://graphql.github.io/graphql-over-http/draft/, whereas Strawberry's own view
answers everything with 200. Numbers are exact in both directions.
"""

import time
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET, UnsetType

from config import tracing
from config.settings import Settings
from resolvers.schema import MetergraphSchema
from schema.context import Context, Identity, Services, TokenIdentity
from schema.credentials import identify
from schema.errors import BadUserInput, Forbidden, RateLimited, Unauthenticated
from schema.repeating import attempt, has_begun
from transport.answering import answered, denied, refused
from transport.connections import OpenConnections, OpenSubscriptions
from transport.cookies import credential_of_request, credential_of_socket
from transport.event_stream import EventStream, Held, streamed_once, transport
from transport.http_request import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    SMALL_BYTES,
    HTTPError,
    Operation,
    accepted,
    check_content_type,
    decode_json,
    parse_body,
    parse_query_string,
    read_body,
    too_large_to_keep,
    turn_of,
)
from transport.http_response import encode_json, response_body, status_of
from transport.measured_requests import MeasuredRequests, RequestKind
from transport.operations import METHODS, Operations
from transport.page_origins import may_open_socket, origin_asked
from transport.persisted_queries import PersistedQueries
from transport.rate_limits import RateLimits
from transport.websocket import TransportHandler, WebSocketAdapter
from waiting.outages import is_outage


class GraphQLApplication(GraphQL[Context, None]):
    """Serves `schema` at any path that it is mounted on."""

    websocket_adapter_class = WebSocketAdapter
    graphql_transport_ws_handler_class = TransportHandler

    def __init__(
        self,
        schema: MetergraphSchema,
        services: Services,
        rate_limits: RateLimits,
        persisted: PersistedQueries,
    ) -> None:
        settings = services.settings
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=settings.websocket_init_timeout_seconds),
            max_subscriptions_per_connection=settings.max_subscriptions_per_connection,
        )
        self.services = services
        self.requests = MeasuredRequests()
        self.operations = Operations(schema, rate_limits, persisted, self.requests)
        self.subscriptions = OpenSubscriptions(settings.max_subscriptions_per_token)
        self.connections = OpenConnections()
        self.settings: Settings = settings

    def _check_websocket_origin(self, request: WebSocket) -> bool:
        """Replaces Strawberry's check, which ignores proxies and names a setting of its own."""
        allowed = [*self.settings.cors_origins]
        if self.settings.public_url is not None:
            allowed.append(self.settings.public_url)
        return may_open_socket(request.headers, allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or serves one WebSocket."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        begun = time.perf_counter()
        with attempt(), tracing.received("GraphQL over HTTP", request.headers) as span:
            response = await self._answer(request)
            span.note(status=response.status_code)
            if not isinstance(response, EventStream):
                kind = RequestKind.MUTATION if has_begun() else RequestKind.QUERY
                self.requests.answered(kind, time.perf_counter() - begun)
        if "cache-control" not in response.headers:
            response.raw_headers.append((b"cache-control", b"no-store"))
        response.raw_headers.append((b"vary", b"accept, authorization"))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            _check_method(request)
            media = self._media_type(request)
        except HTTPError as refusal:
            return self._refused(refusal)
        seconds = self.settings.request_timeout_seconds
        return await answered(
            lambda: self._execute(request, media),
            self.connections,
            seconds,
            lambda refusal: self._refused(refusal, media),
        )

    def _refused(self, refusal: HTTPError, media: str = JSON) -> Response:
        self.requests.failed(refusal.error)
        return refused(refusal, media)

    def _media_type(self, request: Request) -> str:
        offered: tuple[str, ...] = (JSON, GRAPHQL_JSON, EVENT_STREAM)
        if request.method == "GET" and "query" not in request.query_params:
            offered = (JSON, GRAPHQL_JSON)
        media = accepted(request.headers.get("accept"), offered)
        if media is None:
            raise HTTPError(406, BadUserInput(f"The response can only be {', '.join(offered)}"))
        return media

    async def _execute(self, request: Request, media: str) -> Response:
        context = await self._context(request)
        size = 0
        if request.method == "GET":
            await self.operations.limit(context.caller)
            sent: Operation | list[Operation] = parse_query_string(request.query_params)
        else:
            check_content_type(request)
            await self.operations.limit(context.caller)  # before parsing, which costs more
            body = await self._body(request, context.caller)
            size = len(body)
            await turn_of(context, size)
            sent = parse_body(body, self.settings.max_batch_operations)
            await turn_of(context, size)
            if isinstance(sent, list) and len(sent) > 1 and context.caller is None:
                raise denied(Unauthenticated("A batch of operations needs a token"))
        if isinstance(sent, list):
            if media == EVENT_STREAM:
                raise HTTPError(400, BadUserInput("A batch cannot be streamed"))
            await self.operations.limit(context.caller, len(sent), counted=1)
            bodies = [await self.operations.body_of(item, context, request.method) for item in sent]
            return Response(encode_json(bodies), 200, media_type=media)
        query = await self.operations.document(sent, context, media)
        is_stream = media == EVENT_STREAM
        if is_stream and self.operations.is_subscription(query, sent.operation_name, context):
            if size > SMALL_BYTES:
                raise HTTPError(413, too_large_to_keep())
            return await self._stream(request, query, sent, context)
        result = await self.operations.run(query, sent, context, request.method)
        if is_stream:
            return streamed_once(encode_json(response_body(result)))
        return Response(
            encode_json(response_body(result)), status_of(result, media), media_type=media
        )

    async def _body(self, request: Request, caller: Identity | None) -> bytes:
        maximum = self.settings.max_body_bytes
        if isinstance(caller, TokenIdentity):
            return await read_body(request, maximum)
        try:
            return await read_body(request, min(maximum, SMALL_BYTES))
        except HTTPError as error:
            if caller is not None:
                raise
            denied = Unauthenticated(f"A request larger than {SMALL_BYTES:,} bytes needs a token")
            raise HTTPError(401, denied, {**error.headers, "www-authenticate": "Bearer"}) from None

    async def _stream(
        self, request: Request, query: str, operation: Operation, context: Context
    ) -> Response:
        try:
            self.subscriptions.enter(context.caller)
        except RateLimited as error:
            raise HTTPError(429, error) from None
        try:
            return await self._streamed(request, query, operation, context)
        except BaseException:
            self.subscriptions.leave(context.caller)
            raise

    async def _streamed(
        self, request: Request, query: str, operation: Operation, context: Context
    ) -> Response:
        written = transport()
        results: Any = await self.schema.stream(
            query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            operation_extensions=operation.extensions,
            allowed_operation_types={OperationType.SUBSCRIPTION},
        )
        held = Held(
            connections=self.connections,
            is_good=lambda: self.knows(context),
            ended=lambda: self.subscriptions.leave(context.caller),
        )
        return EventStream(self._stream_result(request, results, written)(), written.headers, held)

    async def _context(self, request: Request) -> Context:
        context = Context(services=self.services, origin=origin_asked(request))
        try:
            context.credential = credential_of_request(
                request, request.method, self.settings.public_url
            )
            if context.credential is not None:
                context.caller = await identify(context.credential, self.services.secrets)
        except (BadUserInput, Forbidden, Unauthenticated) as error:
            raise denied(error) from None
        return context

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002  # Strawberry's signature
    ) -> Context:
        """Returns the context of a WebSocket; `on_ws_connect` adds the caller."""
        return Context(services=self.services, origin=origin_asked(request), handshake=request)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Identifies the caller; raises an APIError if there is none."""
        assert context.handshake is not None  # noqa: S101  # see get_context
        context.credential = credential_of_socket(
            context.handshake, context.connection_params, self.settings.public_url
        )
        context.caller = await identify(context.credential, self.services.secrets)
        accepted_without_payload: UnsetType = UNSET
        return accepted_without_payload

    async def knows(self, context: Context) -> bool:
        """Whether a token or session is still valid; during an outage, it is."""
        if context.credential is None:
            return False
        try:
            await identify(context.credential, self.services.secrets)
        except Unauthenticated:
            return False
        except Exception as error:
            if not is_outage(error):
                raise
        return True

    async def process_result(
        self,
        request: Request,  # noqa: ARG002  # Strawberry's signature
        result: ExecutionResult,
    ) -> Any:
        """Returns one result of a stream."""
        if result.errors:
            self.requests.failed(*result.errors)
        return response_body(result)

    def decode_json(self, data: str | bytes) -> object:
        """Reads a WebSocket's message as JSON with exact numbers."""
        return decode_json(data)

    def encode_json(self, data: object) -> str:
        """Writes JSON text, because browsers treat binary messages of a WebSocket differently."""
        return encode_json(data)


def _check_method(request: Request) -> None:
    if request.method not in METHODS:
        raise HTTPError(405, BadUserInput("Use GET or POST"), {"allow": "GET, POST"})
