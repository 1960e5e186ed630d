"""The rolling audit of everything that is cached."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.clock import now
from config.settings import Settings
from metering.audit.rounds import audit_step, audits_due
from metering.counting.catch_up import catch_up
from metering.counting.log import advance
from metering.language.aggregations import AggregationFunction
from models import (
    ALL_CUSTOMERS,
    CustomerMeter,
    CustomerMeterValue,
    Organization,
    UsageAudit,
    UsageBucket,
    UsageDrift,
)
from tests.ingesting import NOON, drain, meter_of, named, send, usages
from workers.recompute_usage import audit_until, last_start


def shorten(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    """Makes a span have so many events, about."""
    monkeypatch.setattr("metering.audit.recompute.SPAN_EVENTS", events)
    monkeypatch.setattr("metering.audit.rounds.SPAN_EVENTS", events)


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch, 5)


async def stream(organization: Organization, customers: int = 3, events: int = 12) -> None:
    for customer in range(customers):
        await send(
            organization.id,
            *({**event, "externalCustomerId": f"c{customer}"} for event in usages(range(events))),
        )
    await drain(organization.id)


async def drifted(organization: Organization) -> set[tuple[object, ...]]:
    return {
        (drift.meter_id, drift.customer_id, drift.bucket, drift.cached, drift.recomputed)
        for drift in await UsageDrift.filter(organization_id=organization.id)
    }


async def audit(organization: Organization) -> int:
    """A whole round; gives its number of steps."""
    await UsageAudit.update_or_create(
        {"customer_id": ALL_CUSTOMERS, "next_from": None, "started_at": now(), "finished_at": None},
        organization_id=organization.id,
    )
    steps = 1
    while not (await audit_step(organization.id)).is_last:
        steps += 1
    return steps


@pytest.mark.parametrize(("events", "fewest", "most"), [(5, 8, 20), (30, 4, 5), (1_000, 2, 2)])
async def test_a_round_finds_every_drift_and_leaves_the_rest_alone(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, events: int, fewest: int, most: int
) -> None:
    shorten(monkeypatch, events)
    total = await meter_of(organization.id, filter_=named("ai_usage"))
    distinct = await meter_of(organization.id, AggregationFunction.UNIQUE)
    idle = await meter_of(organization.id, AggregationFunction.MAXIMUM, named("other"))
    await stream(organization)
    assert fewest <= await audit(organization) <= most
    assert await drifted(organization) == set()

    rows = await CustomerMeter.filter(meter_id=total.id).order_by("customer_id")
    *_, last = await UsageBucket.filter(meter_id=total.id, customer_id=ALL_CUSTOMERS).order_by(
        "bucket"
    )
    await UsageBucket.filter(
        meter_id=total.id, customer_id=ALL_CUSTOMERS, bucket=last.bucket
    ).update(sum=1)
    await UsageBucket.filter(
        meter_id=total.id, customer_id=rows[1].customer_id, bucket=NOON
    ).update(sum=2)
    await CustomerMeter.filter(id=rows[2].id).update(consumed=3)
    await CustomerMeter.filter(id=rows[0].id).delete()
    await CustomerMeterValue.filter(meter_id=distinct.id, customer_id=rows[0].customer_id).delete()

    await audit(organization)

    assert await drifted(organization) == {
        (total.id, ALL_CUSTOMERS, last.bucket, 1, last.sum),
        (total.id, rows[1].customer_id, NOON, 2, 3),
        (total.id, rows[2].customer_id, None, 3, 66),
        (total.id, rows[0].customer_id, None, None, 66),
        (distinct.id, rows[0].customer_id, None, 12, 12),
    }
    assert {row.consumed for row in await CustomerMeter.filter(meter_id=total.id)} == {66}
    assert await CustomerMeterValue.filter(meter_id=distinct.id).count() == 36
    assert await CustomerMeter.filter(meter_id=idle.id).count() == 0
    await audit(organization)
    assert len(await drifted(organization)) == 5


async def test_counting_while_an_audit_runs_is_no_drift(organization: Organization) -> None:
    await meter_of(organization.id)
    await stream(organization)
    behind = await meter_of(organization.id, AggregationFunction.UNIQUE)
    enough, audited = asyncio.Event(), asyncio.Event()

    async def count() -> None:
        number = 0
        while not audited.is_set():
            await send(
                organization.id,
                *({**event, "externalCustomerId": f"c{number % 4}"} for event in usages(range(3))),
            )
            await advance(organization.id)
            number += 1
            if number == 3:
                await catch_up(organization.id, behind.id)
                enough.set()

    counting = asyncio.create_task(count())
    for _ in range(2):
        await audit(organization)
    await enough.wait()
    await audit(organization)
    audited.set()

    await counting
    assert await drifted(organization) == set()


async def test_an_interrupted_audit_continues(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    other_organization: Organization,
) -> None:
    for tenant in (organization, other_organization):
        await meter_of(tenant.id)
        await stream(tenant)
        await CustomerMeter.filter(organization_id=tenant.id).update(consumed=Decimal(1))
    begun = now()

    assert await audits_due(begun) == sorted([organization.id, other_organization.id])
    for _ in range(7):
        await audit_step(organization.id)
    cursor = await UsageAudit.get(organization_id=organization.id)
    assert cursor.customer_id != ALL_CUSTOMERS
    await audit_until(begun, seconds=60)

    assert len(await drifted(organization)) == 3
    assert len(await drifted(other_organization)) == 3
    assert await audits_due(begun) == []
    assert len(await audits_due(now())) == 2


async def test_a_round_begins_at_its_hour() -> None:
    with clock.at(NOON):
        assert last_start(12) == NOON
        assert last_start(3) == NOON - timedelta(hours=9)
        assert last_start(13) == NOON - timedelta(hours=23)


def test_the_audit_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().audit_hour == 3
    monkeypatch.setenv("METERGRAPH_AUDIT_HOUR", "off")
    assert Settings().audit_hour is None
