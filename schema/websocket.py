"""graphql-transport-ws, hardened: what is no message closes the connection, with a reason.

Strawberry's handler takes for granted that messages have the protocol's shape.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import AsyncGenerator
from json import JSONDecodeError
from typing import Any

from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    Message,
    SubscribeMessage,
)

from schema.context import Context
from schema.errors import RateLimited


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
            await self.send_message(
                {"id": message["id"], "type": "error", "payload": [error.formatted]}
            )
            return
        await super().handle_subscribe(message)


def _is_payload(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
