"""What a worker does regularly, with wrong clocks and after failures."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from metering.live.wakeup import PROCESS_EVENTS, Wake
from models import CustomerSubscription, Organization
from tests.billing.world import World
from tests.webhooks.world import nothing_to_deliver
from waiting.outages import Outage
from waiting.patience import Patience
from workers.announced_jobs import AnnouncedJobs
from workers.grant_cycle_credits import grant_cycle_credits
from workers.outages import database_outage
from workers.process_events import Counting
from workers.schedule import Recurring
from workers.settings import build_worker


@pytest.fixture
def _machine_time() -> Iterator[None]:
    yield
    clock.forget()


@pytest.fixture
def world(fresh_database: BaseDBAsyncClient, organization: Organization) -> World:
    """Nobody else has subscriptions there."""
    return World(organization, fresh_database)


async def test_a_failed_job_is_repeated_and_an_outage_logged_once() -> None:
    answers: list[Exception | None] = [
        ConnectionRefusedError("refused"),
        ConnectionRefusedError("refused"),
        ZeroDivisionError("a bug"),
        None,
    ]
    done = asyncio.Event()

    async def work() -> None:
        if not answers:
            done.set()
            return
        error = answers.pop(0)
        if error is not None:
            raise error

    recurring = Recurring("sweep", work, 0.001, Outage("PostgreSQL"))
    with capture_logs() as lines:
        repeating = asyncio.create_task(recurring.repeat())
        async with asyncio.timeout(60):
            await done.wait()
        repeating.cancel()
    assert [line["event"] for line in lines] == [
        "PostgreSQL cannot be used; trying again",
        "sweep failed",
        "PostgreSQL is back",
    ]
    assert recurring.succeeded_at is not None


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_wake_up_is_taken_at_once_with_clocks_that_differ(
    redis: ArqRedis, organization: Organization, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    processed = asyncio.Event()

    async def process(_counting: Counting, _organization_id: object) -> None:
        processed.set()

    monkeypatch.setattr(Counting, "process_events", process)
    with monkeypatch.context() as patch:
        shifted = round((datetime.now(UTC) + timedelta(hours=hours)).timestamp() * 1_000)
        patch.setattr("arq.connections.timestamp_ms", lambda: shifted)
        await Wake(PROCESS_EVENTS, organization.id).perform(redis)
    worker = build_worker(
        redis, Counting(redis), nothing_to_deliver(redis), database_outage(), AnnouncedJobs(redis)
    )
    worker.burst = True
    async with asyncio.timeout(60):
        await worker.async_run()
    assert processed.is_set()


@pytest.mark.usefixtures("_machine_time")
async def test_a_worker_with_a_wrong_clock_renews_no_period_early(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one whose clock is an hour behind turns it in time: PostgreSQL's clock decides."""
    subscription = await _subscribed(world)
    end = subscription.current_period_end
    assert end is not None
    monkeypatch.setattr(clock, "machine_now", lambda: end + timedelta(minutes=30))

    await grant_cycle_credits(Patience())
    await subscription.refresh_from_db()
    assert subscription.current_period_end == end, "PostgreSQL's clock was not read yet"

    clock.follow(end - timedelta(minutes=30), clock.elapsed(), clock.elapsed())
    await grant_cycle_credits(Patience())
    await subscription.refresh_from_db()
    assert subscription.current_period_end == end

    monkeypatch.setattr(clock, "machine_now", lambda: end - timedelta(hours=1))
    clock.follow(end, clock.elapsed(), clock.elapsed())
    await grant_cycle_credits(Patience())
    await subscription.refresh_from_db()
    assert subscription.current_period_end is not None
    assert subscription.current_period_end > end


async def _subscribed(world: World) -> CustomerSubscription:
    customer, meter = await world.customer(), await world.meter()
    benefit = await world.benefit(meter, 10)
    product = await world.product(world.fixed(100), benefits=[benefit])
    return await world.subscribe(customer, product, "2026-01-01")
