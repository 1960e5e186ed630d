"""Subscribers are told of what a cycle did, even if something else failed."""

from uuid import UUID

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from metering.live.after_commit import performing_events
from metering.live.wakeup import UsageChanged
from models import Organization
from tests.billing.world import World, instant
from waiting.patience import Patience
from workers.grant_cycle_credits import grant_cycle_credits


async def test_subscribers_are_told_of_changes_before_a_failure(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    redis: ArqRedis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("billing.subscriptions.cycle.CHUNK", 1)
    monkeypatch.setattr(clock, "is_followed", lambda: True)
    told: list[UUID] = []

    async def tell(event: UsageChanged, _redis: ArqRedis) -> None:
        told.append(event.organization_id)

    monkeypatch.setattr(UsageChanged, "perform", tell)
    world = World(organization, fresh_database)
    product = await world.product(world.fixed())
    await world.subscribe(await world.customer("first"), product, "2026-01-01")
    refused = await world.customer("second")
    await world.subscribe(refused, product, "2026-01-02")
    await fresh_database.execute_script(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger is closed'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON invoice FOR EACH ROW
            WHEN (NEW.customer_id = '{refused.id}') EXECUTE FUNCTION refuse();
        """
    )
    with clock.at(instant("2026-02-03")), capture_logs() as logs:
        async with performing_events(redis):
            with pytest.raises(ExceptionGroup, match="the cycle failed"):
                await grant_cycle_credits(Patience())
    assert set(told) == {organization.id}
    assert [log["periods"] for log in logs if log["event"] == "cycle done"] == [1]
