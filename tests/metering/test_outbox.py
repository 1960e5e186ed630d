"""What happens is in the outbox if and only if it was committed and an endpoint wants it."""

import asyncio
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.counting.log import advance
from metering.live.after_commit import performing_events
from metering.live.outbox import OutboxType, publish
from metering.live.wakeup import DELIVER_WEBHOOKS
from models import Customer, Organization, WebhookEndpoint
from models.identifiers import new_id
from tests.graphql_client import Api
from tests.ingesting import meter_of, send, usages
from tests.metering.poison import POISON, let_retry, refuse_poison
from tests.outbox import happened, listen
from workers.process_events import Counting


@dataclass
class Publishing:
    """Publishes in transactions of one organization."""

    id: UUID

    async def say(self, *objects: UUID, type_: OutboxType = OutboxType.INVOICE_ISSUED) -> None:
        async with in_transaction() as connection:
            await publish(connection, self.id, type_, *objects)


@pytest.fixture
def outbox(organization: Organization) -> Publishing:
    return Publishing(organization.id)


async def test_objects_are_recorded_in_their_order_and_a_worker_is_woken(
    outbox: Publishing, redis: ArqRedis
) -> None:
    await listen(outbox.id)
    objects = [new_id() for _ in range(50)]
    async with performing_events(redis):
        await outbox.say(*reversed(objects))
    assert await happened(outbox.id) == [("invoice.issued", one) for one in reversed(objects)]
    assert [job.function for job in await redis.queued_jobs()] == [DELIVER_WEBHOOKS]


async def test_what_is_rolled_back_did_not_happen(outbox: Publishing, redis: ArqRedis) -> None:
    await listen(outbox.id)

    async def fail() -> None:
        async with in_transaction() as connection:
            await publish(connection, outbox.id, OutboxType.INVOICE_ISSUED, new_id())
            raise ZeroDivisionError

    async with performing_events(redis):
        with pytest.raises(ZeroDivisionError):
            await fail()
    assert await happened(outbox.id) == []
    assert await redis.queued_jobs() == []


async def test_only_an_enabled_endpoint_of_the_organization_that_wants_the_type_causes_a_row(
    outbox: Publishing, other_organization: Organization, redis: ArqRedis
) -> None:
    await listen(other_organization.id)
    disabled = await listen(outbox.id)
    await WebhookEndpoint.filter(id=disabled.id).update(disabled_at=datetime.now(UTC))
    await listen(outbox.id, "customer.created", "invoice.paid")
    async with performing_events(redis):
        await outbox.say(new_id())
        assert await redis.queued_jobs() == []
        await outbox.say(paid := new_id(), type_=OutboxType.INVOICE_PAID)
    assert await happened(outbox.id) == [("invoice.paid", paid)]
    assert await happened(other_organization.id) == []


async def test_two_transactions_of_one_organization_do_not_wait_for_each_other(
    outbox: Publishing, database: BaseDBAsyncClient
) -> None:
    await listen(outbox.id)
    first, second = new_id(), new_id()
    async with in_transaction() as connection:
        await publish(connection, outbox.id, OutboxType.INVOICE_ISSUED, first)
        # In a task with a connection of its own, while the first transaction is open.
        async with asyncio.timeout(30):
            await asyncio.create_task(outbox.say(second), context=Context())
    assert await happened(outbox.id) == [("invoice.issued", first), ("invoice.issued", second)]


async def test_customers_that_events_create_are_published_once(
    organization: Organization,
) -> None:
    await listen(organization.id)
    acme, globex = {"externalCustomerId": "acme"}, {"externalCustomerId": "globex"}
    await send(organization.id, acme, globex)
    await send(organization.id, acme)
    created = await Customer.filter(organization_id=organization.id)
    assert sorted(await happened(organization.id)) == sorted(
        ("customer.created", row.id) for row in created
    )
    assert len(created) == 2


async def test_a_customer_is_created_completed_and_updated(
    api: Api, organization: Organization
) -> None:
    await listen(organization.id)
    await send(organization.id, {"externalCustomerId": "acme"})
    acme = await Customer.get(organization_id=organization.id)

    async def create(external_id: str) -> Any:
        return await api.get(
            """mutation ($id: String!) {
              customerCreate(input: {externalId: $id, name: "Name"}) {
                customer { id } userErrors { code }
              }
            }""",
            id=external_id,
        )

    await create("acme")
    assert (await create("acme"))["customerCreate"]["userErrors"] == [{"code": "ALREADY_EXISTS"}]
    globex_id = (await create("globex"))["customerCreate"]["customer"]["id"]
    globex = await Customer.get(organization_id=organization.id, external_id="globex")
    update = """mutation ($id: ID!, $external: String) {
      customerUpdate(input: {id: $id, externalId: $external}) { userErrors { code } }
    }"""
    await api.get(update, id=globex_id, external="acme")
    await api.get(update, id=globex_id, external="globex-2")
    assert await happened(organization.id) == [
        ("customer.created", acme.id),
        ("customer.updated", acme.id),
        ("customer.created", globex.id),
        ("customer.updated", globex.id),
    ]


async def test_a_meter_that_fails_is_published_once_while_it_is_tried_again(
    fresh_database: BaseDBAsyncClient, organization: Organization, redis: ArqRedis
) -> None:
    meter = await meter_of(organization.id)
    await listen(organization.id, "meter.failing")
    await refuse_poison(fresh_database)
    await send(organization.id, *usages([1, POISON]))
    await advance(organization.id)
    for _ in range(2):
        await let_retry(meter)
        await Counting(redis).catch_up_meters(organization.id)
    assert await happened(organization.id) == [("meter.failing", meter.id)]
