"""What /healthz and /readyz report, on good days and bad."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.connection import get_connection

from config.settings import Settings
from metergraph.asgi import health
from models import EventBatch, Organization
from tests.serving import in_process


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there answers, however busy the machine is."""
    monkeypatch.setattr(health, "_CHECK_SECONDS", 60.0)


async def readiness(settings: Settings) -> tuple[int, Any]:
    async with in_process(settings) as (_, client):
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        response = await client.get("/readyz")
        return response.status_code, response.json()


async def test_ready(settings: Settings) -> None:
    status, body = await readiness(settings)
    assert (status, body["status"]) == (200, "ready")
    assert body["migrations"] == {"status": "ok", "pending": []}
    assert body["redis"] == {"status": "ok"}


@pytest.mark.usefixtures("fresh_database_url")
async def test_readiness_reports_how_far_counting_lags(settings: Settings) -> None:
    async with in_process(settings) as (_, client):
        body = (await client.get("/readyz")).json()
        assert body["counting"]["pendingBatches"] == 0
        assert body["counting"]["oldestPendingSeconds"] is None

        organization = await Organization.create(name="Late", slug="late")
        received = datetime.now(UTC) - timedelta(seconds=90)
        for seconds in (0, 30):
            await EventBatch.create(
                organization_id=organization.id,
                event_count=1,
                names=["call"],
                received_at=received + timedelta(seconds=seconds),
            )

        body = (await client.get("/readyz")).json()
        assert body["counting"]["pendingBatches"] == 2
        assert 90 <= body["counting"]["oldestPendingSeconds"] < 900


async def test_without_redis_it_is_ready_and_reports_the_failure(settings: Settings) -> None:
    status, body = await readiness(
        settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    )
    assert (status, body["status"]) == (200, "ready")
    assert body["redis"] == {"status": "failed: ConnectionError"}


async def test_without_a_database_it_is_alive_but_not_ready(settings: Settings) -> None:
    status, body = await readiness(
        settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/nothing"})
    )
    assert (status, body["status"]) == (503, "not ready")
    assert body["database"]["status"].startswith("failed")
    assert body["migrations"]["status"] == "unknown"


@pytest.mark.usefixtures("fresh_database_url")
async def test_an_unmigrated_database_lists_its_pending_migrations(
    settings: Settings,
) -> None:
    async with in_process(settings) as (_, client):
        await get_connection("default").execute_script(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        )
        response = await client.get("/readyz")
    assert response.status_code == 503
    migrations = response.json()["migrations"]
    assert migrations["status"] == "pending"
    assert migrations["pending"][0] == "0001_initial"


@pytest.mark.usefixtures("fresh_database_url")
async def test_a_database_that_lacks_migrations_is_not_ready(settings: Settings) -> None:
    async with in_process(settings) as (_, client):
        await get_connection("default").execute_query_dict(
            "DELETE FROM tortoise_migrations WHERE name = '0001_initial' RETURNING name"
        )
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == {"status": "pending", "pending": ["0001_initial"]}


@pytest.mark.usefixtures("fresh_database_url")
async def test_a_read_only_database_is_not_ready(settings: Settings) -> None:
    async with in_process(settings):
        connection = get_connection("default")
        (row,) = await connection.execute_query_dict("SELECT current_database() AS name")
        await connection.execute_query(
            f'ALTER DATABASE "{row["name"]}" SET default_transaction_read_only = on'
        )
    status, body = await readiness(settings)
    assert (status, body["status"]) == (503, "not ready")
    assert body["database"] == {"status": "read-only"}
    assert body["migrations"]["status"] == "unknown"


async def test_probes_that_come_together_are_answered_by_one_look(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever floods the page, which needs no token, would keep tokens from being found."""
    looks, go_on = 0, asyncio.Event()

    async def look(_execute: object) -> list[str]:
        nonlocal looks
        looks += 1
        await go_on.wait()
        return []

    monkeypatch.setattr(health, "lacking", look)
    async with in_process(settings) as (_, client), asyncio.timeout(60):
        probes = [asyncio.create_task(client.get("/readyz")) for _ in range(20)]
        for _ in range(1_000):
            await asyncio.sleep(0)
        go_on.set()
        answers = await asyncio.gather(*probes)
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
        assert looks == 1
        await client.get("/readyz")
        assert looks == 2
