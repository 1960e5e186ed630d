"""WebhookEndpoint, its deliveries and their attempts."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from models import OutboxEvent as OutboxEventRow
from models import WebhookDelivery as DeliveryRow
from models import WebhookEndpoint as EndpointRow
from models import exact_json
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.loaders.webhooks import DeliveryQuery, deliveries_source
from schema.permissions import requires
from schema.scalars import JSONObject
from schema.webhook_enums import DeliveryStatus
from webhooks.due import webhook_id

DeliveryStatusArgument = Annotated[
    DeliveryStatus | None,
    strawberry.argument(description="Return only deliveries with this status."),
]


@strawberry.type(description="A try to send a webhook.")
class WebhookAttempt:
    at: datetime = strawberry.field(description="When the request was sent.")
    status: int | None = strawberry.field(
        description="The HTTP status of the response. Null if there was none."
    )
    milliseconds: int = strawberry.field(description="How long it took.")
    error: str | None = strawberry.field(description="Why it failed. Null if it succeeded.")

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "WebhookAttempt":
        return cls(
            at=datetime.fromisoformat(stored["at"]),
            status=stored["status"],
            milliseconds=stored["milliseconds"],
            error=stored["error"],
        )


@strawberry.type(
    description="A URL that is told what happens in the organization, by signed requests that "
    "follow the Standard Webhooks specification."
)
class WebhookEndpoint(Node):
    key: strawberry.Private[UUID]
    url: str = strawberry.field(description="Where the requests are sent.")
    description: str | None = strawberry.field(description="What the endpoint is for.")
    event_types: list[str] = strawberry.field(
        description="The types of events that are sent, such as invoice.issued. Empty: all."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    disabled_at: datetime | None = strawberry.field(
        description="Since when nothing is sent. Null if the endpoint is enabled."
    )
    disabled_reason: str | None = strawberry.field(
        description="Why the endpoint was disabled automatically: it answered 410, or no delivery "
        "succeeded for five days. Null if it is enabled or was disabled manually."
    )
    failing_since: datetime | None = strawberry.field(
        description="Since when deliveries fail. Null if the last one succeeded."
    )

    @connection(
        Annotated["WebhookDelivery", strawberry.lazy("schema.types.webhook")],
        description="The deliveries of the last 30 days, newest first.",
        extensions=[requires(Scope.WEBHOOKS_READ)],
    )
    def deliveries(self, info: Info, status: DeliveryStatusArgument = None) -> Listed:
        query = DeliveryQuery(self.key, None if status is None else status.value)
        return Listed(deliveries_source(info.context.organization_id, query), WebhookDelivery.of)

    @classmethod
    def of(cls, row: EndpointRow) -> "WebhookEndpoint":
        return cls(
            id=encode_id("WebhookEndpoint", row.id),
            key=row.id,
            url=row.url,
            description=row.description,
            event_types=list(row.event_types),
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            disabled_reason=row.disabled_reason,
            failing_since=row.failing_since,
        )


@strawberry.type(description="A message for an endpoint, and the tries to send it.")
class WebhookDelivery(Node):
    endpoint_key: strawberry.Private[UUID]
    event_key: strawberry.Private[UUID]
    webhook_id: str = strawberry.field(
        description="The header webhook-id: the same in every try, and at every endpoint."
    )
    status: DeliveryStatus = strawberry.field(description="Whether it was delivered.")
    attempts: list[WebhookAttempt] = strawberry.field(
        description="The tries, oldest first: the last 100."
    )
    created_at: datetime = strawberry.field(description="When the delivery was made.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When it is tried next. Null unless it is PENDING."
    )

    @strawberry.field(description="The type of the event, such as invoice.issued.")
    async def event_type(self, info: Info) -> str:
        row = await info.context.loaders.existing(OutboxEventRow, self.event_key)
        return row.type

    @strawberry.field(description="The body of the requests: type, timestamp and data.")
    async def payload(self, info: Info) -> JSONObject:
        row = await info.context.loaders.existing(OutboxEventRow, self.event_key)
        return JSONObject(exact_json.loads(row.body or "{}"))

    @strawberry.field(description="The endpoint that it is for.")
    async def endpoint(self, info: Info) -> WebhookEndpoint:
        row = await info.context.loaders.existing(EndpointRow, self.endpoint_key)
        return WebhookEndpoint.of(row)

    @classmethod
    def of(cls, row: DeliveryRow) -> "WebhookDelivery":
        return cls(
            id=encode_id("WebhookDelivery", row.id),
            endpoint_key=row.endpoint_id,
            event_key=row.event_id,
            webhook_id=webhook_id(row.event_id),
            status=DeliveryStatus(row.status),
            attempts=[WebhookAttempt.of(stored) for stored in row.attempts],
            created_at=row.created_at,
            next_attempt_at=row.next_attempt_at,
        )


@strawberry.type(description="The endpoint and its new secret, or the reason why there is none.")
class WebhookEndpointCreatePayload:
    webhook_endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="The endpoint."
    )
    secret: str | None = strawberry.field(
        default=None,
        description="The secret that signs: whsec_ and base64. It is shown only once; null if an "
        "idempotencyKey is repeated.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed endpoint, or the reason why it was not changed.")
class WebhookEndpointUpdatePayload:
    webhook_endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="The endpoint."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The deleted endpoint's id, or the reason why it was not deleted.")
class WebhookEndpointDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the endpoint."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The delivery of the test event, or the reason why there is none.")
class WebhookEndpointTestPayload:
    delivery: WebhookDelivery | None = strawberry.field(
        default=None, description="The delivery, which is sent in a moment."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The delivery, or the reason why it is not sent again.")
class WebhookDeliveryResendPayload:
    delivery: WebhookDelivery | None = strawberry.field(
        default=None, description="The delivery, which is sent again in a moment."
    )
    user_errors: list[UserError] = user_errors()
