"""One organization cannot take all connections of a process."""

import asyncio
from contextvars import Context
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from config.settings import Settings
from metergraph.database.opening import opened_database
from waiting import shares
from waiting.outages import Outage, OutageError

ONE, OTHER = uuid4(), uuid4()
SECONDS = 60


class Holders:
    """Tasks that hold a connection each until they are told to end."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.end = asyncio.Event()
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._entered = asyncio.Event()

    def start(self, client: object, name: str, organization_id: UUID, events: int = 0) -> None:
        async def hold() -> None:
            if events:
                shares.store(organization_id, events)
            else:
                shares.serve(organization_id)
            async with client.acquire_connection() as connection:  # type: ignore[attr-defined]
                await connection.fetchval("SELECT 1")
                self.inside.append(name)
                self._entered.set()
                await self.end.wait()

        self.tasks[name] = asyncio.create_task(hold(), context=Context())

    async def until(self, count: int) -> None:
        async with asyncio.timeout(SECONDS):
            while len(self.inside) < count:
                self._entered.clear()
                await self._entered.wait()


async def test_an_organization_gets_half_of_the_connections_and_storing_has_its_own(
    settings: Settings,
) -> None:
    """Of six connections two are for storing; of the other four an organization has two."""
    few = settings.model_copy(update={"database_pool_size": 6})
    async with opened_database(few, role="tests") as context:
        client, holders = context.db(), Holders()
        for number in range(5):
            holders.start(client, f"one {number}", ONE)
        await holders.until(2)
        for number in range(3):
            holders.start(client, f"other {number}", OTHER)
        await holders.until(4)
        assert sorted(holders.inside) == ["one 0", "one 1", "other 0", "other 1"]
        holders.start(client, "one stores", ONE, events=1_000)
        holders.start(client, "one stores more", ONE, events=1_000)
        holders.start(client, "other stores", OTHER, events=1)
        await holders.until(6)
        assert sorted(holders.inside[4:]) == ["one stores", "other stores"]
        holders.tasks["one 0"].cancel()
        holders.tasks["one 2"].cancel()  # which waits
        await holders.until(7)
        assert holders.inside[-1] == "one 3"
        holders.end.set()
        async with asyncio.timeout(SECONDS):
            await asyncio.wait(holders.tasks.values())
        assert len(holders.inside) == 5 + 3 + 3 - 1
        # Everything was given back.
        again = Holders()
        for number in range(2):
            again.start(client, f"one {number}", ONE)
            again.start(client, f"other {number}", OTHER)
        await again.until(4)
        again.end.set()
        await asyncio.wait(again.tasks.values())


async def test_work_for_no_organization_takes_any_free_connection(settings: Settings) -> None:
    few = settings.model_copy(update={"database_pool_size": 3})
    async with opened_database(few, role="tests") as context:
        client = context.db()
        async with (
            client.acquire_connection(),
            client.acquire_connection(),
            client.acquire_connection() as third,
        ):
            assert await third.fetchval("SELECT 1") == 1


async def test_waiting_too_long_for_a_share_is_an_error_and_not_an_outage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metergraph.database.asyncpg_client._SHARE_SECONDS", 0.01)
    few = settings.model_copy(update={"database_pool_size": 3})
    outage = Outage("PostgreSQL")
    with capture_logs() as logs:
        async with opened_database(few, role="tests", outage=outage) as context:
            client, holders = context.db(), Holders()
            holders.start(client, "one", ONE)
            await holders.until(1)
            holders.start(client, "one more", ONE)
            async with asyncio.timeout(SECONDS):
                with pytest.raises(OutageError, match="the organization's connections were all"):
                    await holders.tasks["one more"]
            holders.end.set()
            await holders.tasks["one"]
            again = Holders()
            again.start(client, "one", ONE)
            await again.until(1)
            again.end.set()
            await again.tasks["one"]
    assert logs == []
