"""graphql-transport-ws, hardened: a malformed message closes the connection with a reason.

Strawberry's handler assumes that messages have the protocol's shape.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import (
    NonJsonMessageReceived,
    NonTextMessageReceived,
    WebSocketDisconnected,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from config import tracing
from models.exact_json import AmbiguousError
from schema.context import Context, TokenIdentity
from schema.errors import APIError, BadUserInput, Forbidden, RateLimited, Unauthenticated
from schema.repeating import attempt, has_begun
from transport.event_stream import SECONDS_BETWEEN_LOOKS_AT_TOKEN
from transport.failures import failure, took_too_long
from transport.http_request import SMALL_BYTES, too_large_to_keep, turn_of
from transport.measured_requests import RequestKind
from transport.persisted_queries import names_document
from waiting.outages import is_outage

if TYPE_CHECKING:
    from transport.http import GraphQLApplication


# Codes from 1000 are WebSocket's own; codes from 4000 are the protocol's.
TOO_BIG = 1009
TRY_AGAIN_LATER = 1013
BAD_REQUEST = 4400
FORBIDDEN = 4403
INTERNAL_ERROR = 4500
TOO_LARGE = f"A message larger than {SMALL_BYTES:,} bytes needs an organization's token"
# The ASGI extension by which the server is told to take large messages.
LARGE_MESSAGES = "metergraph.large_messages"
_MAX_REASON_BYTES = 123


class WebSocketAdapter(ASGIWebSocketAdapter):
    """Treats invalid JSON as a malformed message, and closes only once."""

    context: Context | None = None  # set for an organization's token, which may send large messages
    is_large = False  # whether the latest message is

    async def iter_json(
        self,
        *,
        ignore_parsing_errors: bool = False,  # noqa: ARG002  # Strawberry's signature
    ) -> AsyncGenerator[object, None]:
        """Yields the messages as JSON with exact numbers; only an organization's may be large."""
        while self.ws.application_state is WebSocketState.CONNECTED:
            try:
                text = await self.ws.receive_text()
            except WebSocketDisconnect:
                return
            except KeyError as error:
                raise NonTextMessageReceived from error
            size = _size(text)
            self.is_large = size > SMALL_BYTES
            if self.is_large:
                if self.context is None:
                    await self.close(TOO_BIG, TOO_LARGE)
                    return
                await turn_of(self.context, size)
            try:
                message = self.view.decode_json(text)
            except AmbiguousError as error:
                await self.close(BAD_REQUEST, str(error))
                return
            except ValueError as error:
                raise NonJsonMessageReceived from error
            yield message

    def take_large(self, context: Context) -> None:
        """Accepts large messages from now on, in the organization's turn."""
        self.context = context
        server_takes_large = self.ws.scope.get("extensions", {}).get(LARGE_MESSAGES)
        if server_takes_large is not None:
            server_takes_large()

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Sends a message; raises WebSocketDisconnected if either side has closed."""
        if self.ws.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnected
        await super().send_json(message)

    async def close(self, code: int, reason: str) -> None:
        """Closes the WebSocket if it is open, with as much of the reason as fits."""
        carried = reason.encode(errors="replace")[:_MAX_REASON_BYTES].decode(errors="ignore")
        if self.ws.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect):
                await super().close(code, carried)


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Checks the shape of messages before Strawberry handles them."""

    view: "GraphQLApplication"
    websocket: WebSocketAdapter
    _watching: asyncio.Task[None] | None = None

    async def handle(self) -> None:
        """Serves the connection until it ends."""
        sockets = self.view.connections.sockets
        sockets.add(self)
        try:
            await super().handle()
        finally:
            sockets.discard(self)

    def answering(self) -> Iterable[asyncio.Task[None]]:
        """Returns the operations that end by themselves: all but subscriptions."""
        for operation in self.operations.values():
            if operation.task is not None and not self._is_subscription(operation):
                yield operation.task

    def _is_subscription(self, operation: Operation[Context, None]) -> bool:
        return self.view.operations.is_subscription(
            operation.query, operation.operation_name, self.context
        )

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Runs an operation; all but subscriptions have a request's time limit."""
        with attempt():
            await self._run_in_time(operation)

    async def _run_in_time(self, operation: Operation[Context, None]) -> None:
        endless = self._is_subscription(operation)
        seconds = None if endless else self.view.settings.request_timeout_seconds
        deadline = asyncio.timeout(seconds)
        begun = time.perf_counter()
        name = "GraphQL over WebSocket"
        span = tracing.NO_SPAN if endless else tracing.received(name, {})
        try:
            with span:
                async with deadline:
                    await super().run_operation(operation)
        except TimeoutError:
            if seconds is None or not deadline.expired():
                raise
            await operation.send_initial_errors([took_too_long(seconds)])
        finally:
            if not endless:
                kind = RequestKind.MUTATION if has_begun() else RequestKind.QUERY
                self.view.requests.answered(kind, time.perf_counter() - begun)

    async def send_message(self, message: Message) -> None:
        """Sends a message; without execution a result has no `data`, as over HTTP."""
        payload: Any = message.get("payload")
        # Do this before the client knows that it may send one.
        if message["type"] == "connection_ack" and isinstance(self.context.caller, TokenIdentity):
            self.websocket.take_large(self.context)
        if message["type"] == "error":
            self.view.requests.failed_with(payload)
        elif message["type"] == "next" and (errors := payload.get("errors")):
            self.view.requests.failed_with(errors)
            if payload["data"] is None and not any("path" in error for error in errors):
                del payload["data"]
        await super().send_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Identifies the caller, and from then on watches the token."""
        try:
            await super().handle_connection_init(message)
        except (BadUserInput, Forbidden, Unauthenticated) as denied:
            await self.websocket.close(FORBIDDEN, denied.message)
            return
        if self.connection_acknowledged and self._watching is None:
            self._watching = asyncio.create_task(self._watch_token())

    async def shutdown(self) -> None:
        """Ends everything of the connection."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))
        await super().shutdown()

    async def _watch_token(self) -> None:
        """Closes the connection once its token is revoked or has expired."""
        while await self.view.knows(self.context):  # noqa: ASYNC110  # the database has no event for it
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS_AT_TOKEN)
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        credential = self.context.credential
        reason = "The token was revoked or has expired"
        if credential is not None and credential.client is not None:
            reason = credential.refusal
        await self.websocket.close(FORBIDDEN, reason)

    async def handle_message(self, message: Message) -> None:
        """Closes the connection after a malformed message or a failure of ours."""
        try:
            await self._handle(message)
        except WebSocketDisconnected:
            raise
        except Exception as error:  # noqa: BLE001  # the client must not see the details of a bug
            code = TRY_AGAIN_LATER if is_outage(error) else INTERNAL_ERROR
            await self.websocket.close(code, failure(error).message)

    async def _handle(self, message: Message) -> None:
        found: Any = message
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            await self.handle_invalid_message("A message must be an object with a type")
        elif found["type"] in {"subscribe", "complete"} and not isinstance(found.get("id"), str):
            await self.handle_invalid_message("The message needs an id, a string")
        elif found["type"] == "subscribe" and not _is_payload(found.get("payload")):
            await self.handle_invalid_message("The payload is not a GraphQL request")
        else:
            await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Starts an operation and counts it until it ends, or refuses it with a code."""
        if self.view.connections.ending:
            return  # the client sends it again over its next connection
        if not self.connection_acknowledged or message["id"] in self.operations:
            await super().handle_subscribe(message)  # which closes the connection
            return
        caller = self.context.caller
        payload: Any = message["payload"]
        try:
            await self._prepare(payload)
            endless = self.view.operations.is_subscription(
                payload["query"], payload["operationName"], self.context
            )
            if endless and self.websocket.is_large:
                raise too_large_to_keep()
            self.view.subscriptions.enter(caller, endless=endless)
        except APIError as error:
            await self.send_message(
                {"id": message["id"], "type": "error", "payload": [error.formatted]}
            )
            return
        # No `await` until there is a task, so that nothing comes between.
        await super().handle_subscribe(message)
        task = self.operations[message["id"]].task
        if task is not None:
            task.add_done_callback(
                lambda _task: self.view.subscriptions.leave(caller, endless=endless)
            )

    async def _prepare(self, payload: Any) -> None:
        """Replaces a hash by its document; raises APIError if there are too many operations."""
        maximum = self.max_subscriptions_per_connection
        if maximum is not None and len(self.operations) >= maximum:
            raise RateLimited(f"This connection already has {maximum} operations, the maximum")
        operations, caller = self.view.operations, self.context.caller
        payload["operationName"] = payload.get("operationName") or None
        payload["query"] = await operations.persisted.document(
            payload.get("query"), payload.get("extensions"), caller
        )
        await operations.rate_limits.take(caller)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:  # noqa: ARG004  # Strawberry's signature
        """Returns no reason: a mistake in one document must not close the connection."""
        return None

    async def handle_task_exception(self, error: Exception) -> None:
        """Logs an error, unless the client has gone."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)


def _size(text: str) -> int:
    """The size of a text in bytes, which is not counted exactly if the text is large anyway."""
    return len(text) if text.isascii() or len(text) > SMALL_BYTES else len(text.encode())


def _is_payload(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and (isinstance(payload.get("query"), str) or names_document(payload.get("extensions")))
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("extensions"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
