"""The outbox as tests read it, and an endpoint without which nothing is written to it."""

from datetime import UTC, datetime
from uuid import UUID

from models import OutboxEvent, WebhookEndpoint


async def listen(organization_id: UUID, *types: str) -> WebhookEndpoint:
    """An endpoint that wants these types; without types, all. It has no working secret."""
    return await WebhookEndpoint.create(
        organization_id=organization_id,
        url="https://receiver.example/hooks",
        event_types=list(types),
        secret="none",
        created_at=datetime.now(UTC),
    )


async def happened(organization_id: UUID) -> list[tuple[str, UUID]]:
    """The types and objects in the outbox, in their order."""
    rows = await OutboxEvent.filter(organization_id=organization_id).order_by("sequence")
    return [(row.type, row.object_id) for row in rows]
