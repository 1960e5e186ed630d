"""graphql-transport-ws, hardened: what is no message closes the connection, with a reason.

Strawberry's handler takes for granted that messages have the protocol's shape.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import AsyncGenerator
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from schema.context import Context
from schema.errors import APIError, RateLimited
from schema.persisted_queries import names_document

if TYPE_CHECKING:
    from schema.http import GraphQLApplication

SECONDS_BETWEEN_LOOKS_AT_TOKEN = 5.0


class WebSocketAdapter(ASGIWebSocketAdapter):
    """Takes whatever JSON cannot be read for a malformed message."""

    async def iter_json(
        self, *, ignore_parsing_errors: bool = False
    ) -> AsyncGenerator[object, None]:
        """The messages, as JSON with exact numbers."""
        try:
            async for message in super().iter_json(ignore_parsing_errors=ignore_parsing_errors):
                yield message
        except ValueError as error:
            if isinstance(error, JSONDecodeError):
                raise
            raise NonJsonMessageReceived from error


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Checks the shape of messages before Strawberry handles them."""

    view: "GraphQLApplication"
    _watching: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Identifies who asks, and from then on sees whether the token stays good."""
        await super().handle_connection_init(message)
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
        await self.websocket.close(code=4403, reason="The token was revoked or has expired")

    async def handle_message(self, message: Message) -> None:
        """Closes with 4400 on anything that is no message of the protocol."""
        found: Any = message
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            await self.handle_invalid_message("A message is an object with a type")
        elif found["type"] in {"subscribe", "complete"} and not isinstance(found.get("id"), str):
            await self.handle_invalid_message("The message needs an id, which is a string")
        elif found["type"] == "subscribe" and not _is_payload(found.get("payload")):
            await self.handle_invalid_message("The payload is no GraphQL request")
        else:
            await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Refuses one operation too many with an error that has a code."""
        maximum = self.max_subscriptions_per_connection
        if (
            self.connection_acknowledged
            and maximum is not None
            and len(self.operations) >= maximum
            and message["id"] not in self.operations
        ):
            error = RateLimited(f"This connection has its {maximum} operations already")
            await self._refuse(message, error)
            return
        caller = self.context.caller
        if self.connection_acknowledged:
            try:
                await self._find_document(message["payload"])
                await self.view.operations.rate_limits.take(caller)
                self.view.subscriptions.enter(caller)
            except APIError as error:
                await self._refuse(message, error)
                return
        await super().handle_subscribe(message)
        operation = self.operations.get(message["id"])
        if operation is not None and operation.task is not None:
            operation.task.add_done_callback(lambda _task: self.view.subscriptions.leave(caller))

    async def _find_document(self, payload: Any) -> None:
        """Puts the document in place of its hash."""
        payload["query"] = await self.view.operations.persisted.document(
            payload.get("query"), payload.get("extensions"), keep=True
        )

    async def handle_task_exception(self, error: Exception) -> None:
        """Logs what went wrong; that a client has gone is no mistake."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def _refuse(self, message: SubscribeMessage, error: APIError) -> None:
        await self.send_message(
            {"id": message["id"], "type": "error", "payload": [error.formatted]}
        )


def _is_payload(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and (isinstance(payload.get("query"), str) or names_document(payload.get("extensions")))
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("extensions"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
