"""What /metrics tells of periods and invoices."""

import asyncio

import httpx
import pytest
from arq.connections import ArqRedis
from tortoise.connection import get_connection

from config.settings import Settings
from metergraph.asgi import metrics
from models import Organization
from tests.billing.world import World
from tests.metergraph.test_metrics import scraped
from tests.serving import in_process


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is measured, however busy the machine is."""
    monkeypatch.setattr(metrics, "_SECONDS", 60.0)


async def issued(client: httpx.AsyncClient, number: int) -> None:
    """Waits until that many invoices are counted."""
    async with asyncio.timeout(60):
        while (await scraped(client))["metergraph_invoices_issued_total", ""] != number:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("fresh_database_url")  # in the shared one, other periods are due
async def test_a_period_is_due_then_waits_for_its_events_and_is_invoiced(
    settings: Settings, redis: ArqRedis
) -> None:
    async with in_process(settings) as (_app, client):
        organization = await Organization.create(name="Test", slug="billing")
        world = World(organization, get_connection("default"))

        async def periods() -> tuple[float, float, float]:
            found = await scraped(client)
            names = ("periods_due", "periods_due_seconds", "periods_uninvoiced")
            return (
                found[f"metergraph_{names[0]}", ""],
                found[f"metergraph_{names[1]}", ""],
                found[f"metergraph_{names[2]}", ""],
            )

        assert await periods() == (0, 0, 0)
        customer, _meter, subscription = await world.subscribed("2026-01-01", fixed=5)
        await issued(client, 1)
        due, seconds, uninvoiced = await periods()
        assert (due, uninvoiced) == (1, 0)
        assert seconds > 200 * 86_400  # since the first of February of 2026

        await world.send(customer, ("2026-01-05", 3))
        await world.received("2026-01-05")
        assert (await world.cycle("2026-02-01")).renewed == 1
        assert (await periods())[::2] == (1, 1)
        await world.count()
        assert (await world.cycle("2026-02-01")).invoiced == 1
        assert (await periods())[::2] == (1, 0)
        await issued(client, 2)

        await world.preview(subscription, "2026-02-02", quantity=2)  # which is rolled back
        await world.cancel(subscription, "2026-02-03")
        await issued(client, 3)
        assert await periods() == (0, 0, 0)
