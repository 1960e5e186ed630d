"""An organization with webhooks: endpoints, events, and a worker's deliveries, in this process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from metering.live.outbox import OutboxType, publish
from models import WebhookDelivery, WebhookEndpoint
from models.identifiers import new_id
from tests.webhooks.receiver import Receiver
from webhooks.fan_out import Happened
from webhooks.secrets import encrypted, new_secret
from workers.deliver_webhooks import Delivering
from workers.measurements import Measurements


async def only_ids(_organization_id: UUID, events: Sequence[Happened]) -> list[dict[str, Any]]:
    """Objects that have an id only, for tests of what happens to messages."""
    return [{"id": str(event.object_id)} for event in events]


def nothing_to_deliver(redis: ArqRedis) -> Delivering:
    """The part of a worker that delivers, for tests of the other parts."""
    return Delivering(only_ids, Measurements(redis))


@dataclass
class Hooks:
    """One organization, and a worker that delivers for it."""

    organization_id: UUID
    redis: ArqRedis
    delivering: Delivering
    secrets: dict[UUID, str] = field(default_factory=dict)

    async def endpoint(self, to: Receiver | str, *types: str) -> WebhookEndpoint:
        secret = new_secret()
        row = await WebhookEndpoint.create(
            organization_id=self.organization_id,
            url=to if isinstance(to, str) else to.url,
            event_types=list(types),
            secret=encrypted(secret),
            created_at=datetime.now(UTC),
        )
        self.secrets[row.id] = secret
        return row

    async def happen(
        self, *objects: UUID, type_: OutboxType = OutboxType.CUSTOMER_UPDATED
    ) -> list[UUID]:
        """Something happens to these objects, or to a new one."""
        async with in_transaction() as connection:
            await publish(connection, self.organization_id, type_, *(objects or [new_id()]))
        return list(objects)

    async def again(self) -> None:
        """All deliveries are forgotten to have been made, as if a worker had been killed."""
        await WebhookDelivery.filter(organization_id=self.organization_id).update(
            status="PENDING", next_attempt_at=datetime.now(UTC)
        )

    async def deliver(self) -> None:
        """A worker delivers until it has nothing to do now."""
        await self.delivering.deliver(self.organization_id)
        await self.delivering.idle()

    async def deliveries(self, endpoint: WebhookEndpoint | None = None) -> list[WebhookDelivery]:
        found = WebhookDelivery.filter(organization_id=self.organization_id)
        if endpoint is not None:
            found = found.filter(endpoint_id=endpoint.id)
        return await found.order_by("sequence", "id")

    async def statuses(self, endpoint: WebhookEndpoint | None = None) -> list[str]:
        return [row.status for row in await self.deliveries(endpoint)]

    async def later(self, by: timedelta) -> None:
        """Time passes: what is stored of this organization was that much earlier."""
        connection = get_connection("default")
        values = [self.organization_id, by]
        await connection.execute_query(
            """
            UPDATE webhook_delivery
            SET next_attempt_at = next_attempt_at - $2::interval,
                tries_since = tries_since - $2::interval
            WHERE organization_id = $1
            """,
            values,
        )
        await connection.execute_query(
            """
            UPDATE webhook_endpoint
            SET failing_since = failing_since - $2::interval,
                leased_until = leased_until - $2::interval,
                previous_secret_until = previous_secret_until - $2::interval
            WHERE organization_id = $1
            """,
            values,
        )

    async def delivered(self, number: int) -> None:
        """Waits until that many deliveries have succeeded."""
        async with asyncio.timeout(60):
            while (await self.statuses()).count("DELIVERED") < number:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.02)
