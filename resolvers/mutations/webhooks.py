"""Mutations about webhooks: endpoints, their secrets, test events and sending again."""

from datetime import UTC
from typing import Any

import strawberry

from models import WebhookEndpoint as EndpointRow
from resolvers.mutating import mutates
from resolvers.refusals import not_found, required_id
from schema.context import Info, Scope
from schema.inputs.webhooks import (
    WebhookDeliveryResendInput,
    WebhookEndpointCreateInput,
    WebhookEndpointDeleteInput,
    WebhookEndpointRotateSecretInput,
    WebhookEndpointTestInput,
    WebhookEndpointUpdateInput,
)
from schema.types.webhook import (
    WebhookDelivery,
    WebhookDeliveryResendPayload,
    WebhookEndpoint,
    WebhookEndpointCreatePayload,
    WebhookEndpointDeletePayload,
    WebhookEndpointTestPayload,
    WebhookEndpointUpdatePayload,
)
from webhooks.endpoints import (
    EndpointChanges,
    create_endpoint,
    delete_endpoint,
    resend,
    rotate_secret,
    send_test,
    update_endpoint,
)

_WRITE = Scope.WEBHOOKS_WRITE
_OVERLAP_HOURS = 24


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(
        description="Creates an endpoint that is told what happens from now on. Its secret is "
        "shown only once.",
        extensions=[mutates(_WRITE, makes="webhook_endpoint")],
    )
    async def webhook_endpoint_create(
        self, info: Info, input: WebhookEndpointCreateInput
    ) -> WebhookEndpointCreatePayload:
        row, secret = await create_endpoint(
            info.context.organization_id, input.url, input.event_types, input.description
        )
        return WebhookEndpointCreatePayload(webhook_endpoint=WebhookEndpoint.of(row), secret=secret)

    @strawberry.mutation(
        description="Changes an endpoint, disables it, or enables it again.",
        extensions=[mutates(_WRITE)],
    )
    async def webhook_endpoint_update(
        self, info: Info, input: WebhookEndpointUpdateInput
    ) -> WebhookEndpointUpdatePayload:
        sets_description = input.description is not strawberry.UNSET
        changes = EndpointChanges(
            url=input.url,
            event_types=input.event_types,
            sets_description=sets_description,
            description=input.description if sets_description else None,
            is_enabled=input.enabled,
        )
        key = required_id(input.id, "WebhookEndpoint", "id")
        row = await update_endpoint(info.context.organization_id, key, changes)
        return WebhookEndpointUpdatePayload(webhook_endpoint=WebhookEndpoint.of(row))

    @strawberry.mutation(
        description="Deletes an endpoint and its deliveries. Nothing more is sent to it.",
        extensions=[mutates(_WRITE)],
    )
    async def webhook_endpoint_delete(
        self, info: Info, input: WebhookEndpointDeleteInput
    ) -> WebhookEndpointDeletePayload:
        key = required_id(input.id, "WebhookEndpoint", "id")
        await delete_endpoint(info.context.organization_id, key)
        return WebhookEndpointDeletePayload(deleted_id=input.id)

    @strawberry.mutation(
        description="Gives an endpoint a new secret, which is shown only once. Until the overlap "
        "ends, requests have a signature with each of the two secrets.",
        extensions=[mutates(_WRITE)],
    )
    async def webhook_endpoint_rotate_secret(
        self, info: Info, input: WebhookEndpointRotateSecretInput
    ) -> WebhookEndpointCreatePayload:
        key = required_id(input.id, "WebhookEndpoint", "id")
        hours = _OVERLAP_HOURS if input.overlap_hours is None else input.overlap_hours
        row, secret = await rotate_secret(info.context.organization_id, key, hours)
        return WebhookEndpointCreatePayload(webhook_endpoint=WebhookEndpoint.of(row), secret=secret)

    @strawberry.mutation(
        description="Sends a test event, of the type webhook.test, to an endpoint. It is tried "
        "once. Its data is the endpoint.",
        extensions=[mutates(_WRITE)],
    )
    async def webhook_endpoint_test(
        self, info: Info, input: WebhookEndpointTestInput
    ) -> WebhookEndpointTestPayload:
        context = info.context
        key = required_id(input.id, "WebhookEndpoint", "id")
        endpoint = await context.loaders.by_id(EndpointRow).load(key)
        if endpoint is None:
            raise not_found("WebhookEndpoint", "id")
        row = await send_test(context.organization_id, key, _as_data(endpoint))
        return WebhookEndpointTestPayload(delivery=WebhookDelivery.of(row))

    @strawberry.mutation(
        description="Sends a delivery again: the same message with the same webhook-id. If it "
        "fails, it is tried again like a new one.",
        extensions=[mutates(_WRITE)],
    )
    async def webhook_delivery_resend(
        self, info: Info, input: WebhookDeliveryResendInput
    ) -> WebhookDeliveryResendPayload:
        key = required_id(input.id, "WebhookDelivery", "id")
        row = await resend(info.context.organization_id, key)
        return WebhookDeliveryResendPayload(delivery=WebhookDelivery.of(row))


def _as_data(row: EndpointRow) -> dict[str, Any]:
    shown = WebhookEndpoint.of(row)
    return {
        "id": shown.id,
        "url": shown.url,
        "description": shown.description,
        "eventTypes": shown.event_types,
        "createdAt": shown.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
