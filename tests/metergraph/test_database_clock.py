"""A machine whose clock is off: the log and an operator's pages say so, and nothing is early."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.settings import Settings
from metergraph.asgi.worker_health import worker_app
from metergraph.database import database_clock
from metergraph.database.database_clock import following_database_clock
from models import Event, Organization
from tests.serving import in_process, new_token
from waiting.outages import Outage
from workers.schedule import Recurring, WorkerStatus

INGEST = """
mutation ($input: EventsIngestInput!) {
  eventsIngest(input: $input) { inserted userErrors { message } }
}
"""


def set_machine(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    monkeypatch.setattr(clock, "machine_now", lambda: datetime.now(UTC) + timedelta(hours=hours))


@pytest.fixture(autouse=True)
def _readings_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_clock, "SECONDS_BETWEEN_READINGS", 0.01)


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with in_process(settings) as (_, http):
        await followed()
        yield http


async def followed() -> None:
    async with asyncio.timeout(60):
        while not clock.is_followed():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("hours", "seconds"), [(1, 3_600), (-1, -3_600)])
async def test_the_api_says_it_and_stays_ready(
    settings: Settings, hours: int, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_machine(monkeypatch, hours)
    async with served(settings) as http:
        answer = await http.get("/readyz")
        assert answer.status_code == 200
        found = answer.json()["clock"]
        assert found["status"] == "off"
        assert found["aheadSeconds"] == pytest.approx(seconds, abs=300)
        lines = (await http.get("/metrics")).text.splitlines()
        [offset] = [line for line in lines if line.startswith("metergraph_clock_offset_seconds ")]
        assert float(offset.split()[1]) == pytest.approx(seconds, abs=300)
        set_machine(monkeypatch, 0)
        found = (await http.get("/readyz")).json()["clock"]
        assert found["status"] == "ok"


async def test_the_log_has_a_line_when_it_begins_and_one_when_it_ends(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(count: int) -> None:
        while len(lines) < count:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)

    with capture_logs() as lines:
        async with asyncio.timeout(60), following_database_clock():
            await followed()
            for _ in range(5):
                await asyncio.sleep(0.01)
            set_machine(monkeypatch, -1)
            await said(1)
            for _ in range(5):
                await asyncio.sleep(0.01)
            set_machine(monkeypatch, 0)
            await said(2)
    assert [line["event"] for line in lines] == [
        "this machine's clock is off; PostgreSQL's decides what is due",
        "this machine's clock agrees with PostgreSQL's again",
    ]
    assert lines[0]["ahead_seconds"] == pytest.approx(-3_600, abs=300)
    assert not clock.is_followed()


@pytest.mark.parametrize("hours", [-1, 1])
async def test_events_are_judged_by_the_clock_of_postgres(
    settings: Settings, organization: Organization, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that is an hour behind, an event of now would be too far ahead."""
    set_machine(monkeypatch, hours)
    token = await new_token(organization)
    now = datetime.now(UTC)
    moments = {"now": now, "in half an hour": now + timedelta(minutes=30)}
    inserted: dict[str, Any] = {}
    async with served(settings) as http:
        for name, moment in moments.items():
            event = {
                "name": "call",
                "externalCustomerId": "c1",
                "externalId": name,
                "timestamp": moment.isoformat(),
            }
            answer = await http.post(
                "/graphql",
                json={"query": INGEST, "variables": {"input": {"events": [event]}}},
                headers={"Authorization": f"Bearer {token}"},
            )
            inserted[name] = answer.json()["data"]["eventsIngest"]["inserted"]
        assert inserted == {"now": 1, "in half an hour": 0}
        assert await Event.filter(organization_id=organization.id).count() == 1


async def test_a_worker_is_ready_while_it_counts_and_its_clock_is_right(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count() -> None:
        if fails:
            raise ConnectionRefusedError("refused")

    fails = False
    sweep = Recurring("sweep", count, 60.0, Outage("PostgreSQL"))
    status = WorkerStatus()
    transport = httpx.ASGITransport(worker_app(status))
    async with (
        following_database_clock(),
        httpx.AsyncClient(transport=transport, base_url="http://worker") as http,
    ):
        await followed()

        async def readiness() -> tuple[int, str, str]:
            answer = await http.get("/readyz")
            body = answer.json()
            return answer.status_code, body["counting"]["status"], body["clock"]["status"]

        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert await readiness() == (503, "not counting", "ok")
        status.sweep = sweep
        await sweep.run()
        assert await readiness() == (200, "ok", "ok")
        assert "metergraph_worker_ready 1.0" in (await http.get("/metrics")).text

        set_machine(monkeypatch, -1)
        assert await readiness() == (503, "ok", "off")
        assert "metergraph_worker_ready 0.0" in (await http.get("/metrics")).text
        set_machine(monkeypatch, 0)
        assert await readiness() == (200, "ok", "ok")

        fails = True
        monkeypatch.setattr("workers.schedule.MOST_SECONDS_SINCE_SWEEP", 0.0)
        await sweep.run()
        assert await readiness() == (503, "not counting", "ok")


async def test_the_first_request_goes_by_the_clock_of_postgres(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_machine(monkeypatch, 1)
    async with following_database_clock():
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=10)
