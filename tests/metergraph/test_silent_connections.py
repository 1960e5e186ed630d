"""A silent connection to PostgreSQL holds up no other request."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.asgi import health
from metergraph.database import database_connection, silent_connections
from metergraph.database.opening import opened_database
from metering.counting.log import advance
from models import EventBatch, Organization
from tests.ingesting import send
from tests.metergraph.clients import READ, api
from tests.postgres import connection_to, locked, locks_awaited
from tests.serving import new_token, served
from tests.silence import Proxy, Silencing, proxied
from tests.websocket_client import connected_to, subscribe
from waiting.outages import is_outage

# A silent connection is given up within three seconds; this machine may be busy.
_SOON_SECONDS = 20.0

INGEST = """
mutation ($id: String!) { eventsIngest(input: {events: [
  {name: "call", externalId: $id, externalCustomerId: "c"}
]}) { inserted duplicates } }
"""
CREATE = """
mutation { meterCreate(input: {name: "m", filter: {}, aggregation: {function: COUNT}}) {
  meter { name } userErrors { message }
} }
"""


@pytest.fixture(autouse=True)
def _silence_is_looked_for_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_connections, "_SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setattr(silent_connections, "_LONG_SECONDS", 0.5)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, PostgreSQL may take longer to answer than `/readyz` waits for it."""
    monkeypatch.setattr(health, "_CHECK_SECONDS", _SOON_SECONDS)
    monkeypatch.setattr(silent_connections, "_ANSWER_SECONDS", _SOON_SECONDS)


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    with proxied(str(settings.database_url)) as proxy:
        yield proxy


@pytest.fixture
def behind(settings: Settings, proxy: Proxy) -> Settings:
    """Settings with which PostgreSQL is found through the proxy.

    Statements are sent as text, each time.
    """
    url = f"{proxy.url}?statement_cache_size=0"
    return settings.model_copy(update={"database_url": url})


def silenced_by(
    proxy: Proxy, statement: str, *, is_heard: bool = False, times: int = 1
) -> Silencing:
    """Silences the next connections to send a statement with this text."""
    return proxy.silence_when(
        lambda data: statement.encode() in data, is_heard=is_heard, times=times
    )


async def fallen(silencing: Silencing) -> None:
    """Waits until a connection fell silent."""
    assert await asyncio.to_thread(silencing.fell_silent)


ROLES = {
    "token": ("FROM access_token", READ),
    "query": ("FROM event e", READ),
    "ingest": ("INSERT INTO event_batch", INGEST),
    "begin": ("BEGIN;", CREATE),
    "transaction": ('INTO "meter"', CREATE),
    "commit": ("COMMIT;", CREATE),
}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("role", "loses_answer"),
    [*((role, False) for role in ROLES), ("token", True), ("ingest", True), ("commit", True)],
)
async def test_requests_go_on_beside_a_silent_connection(
    behind: Settings,
    proxy: Proxy,
    organization: Organization,
    other_organization: Organization,
    role: str,
    loses_answer: bool,
) -> None:
    tokens = await new_token(organization), await new_token(other_organization)
    statement, query = ROLES[role]
    variables = {"id": "first"} if query is INGEST else {}
    async with api(behind, *tokens) as (client, other), asyncio.timeout(3 * _SOON_SECONDS):
        silenced = silenced_by(proxy, statement, is_heard=loses_answer)
        unlucky = asyncio.create_task(client.ask(query, **variables))
        await fallen(silenced)
        for asking in (other, client):
            assert await asking.ask(READ) == {"events": {"nodes": []}} or role == "ingest"
            answer = await asking.ask(INGEST, id="other")
            assert answer == {"eventsIngest": {"inserted": 1, "duplicates": 0}}
        assert await client.status("/readyz") == 200
        answer = await unlucky
        if "code" in answer:
            assert answer["code"] == "INTERNAL"
        else:
            assert role == "token"
        again = await client.ask(query, **variables)
        assert "code" not in again


@pytest.mark.usefixtures("patient")
async def test_many_silent_connections_at_once_stop_requests_for_seconds_only(
    behind: Settings, proxy: Proxy, organization: Organization
) -> None:
    async with api(behind, await new_token(organization)) as (client,):
        everything = ["FROM access_token", "FROM event e"]
        silenced = [silenced_by(proxy, statement, times=3) for statement in everything]
        unlucky = [asyncio.create_task(client.ask(READ)) for _ in range(12)]
        for one in silenced:
            await fallen(one)
        async with asyncio.timeout(3 * _SOON_SECONDS):
            await asyncio.gather(*unlucky)
            while "events" not in await client.ask(READ):
                pass
        assert await client.status("/readyz") == 200


async def test_a_silent_database_is_not_ready_and_comes_back(
    behind: Settings, proxy: Proxy, organization: Organization
) -> None:
    async with api(behind, await new_token(organization)) as (client,):
        proxy.silence(also_new=True)
        with capture_logs() as lines, pytest.MonkeyPatch.context() as patch:
            patch.setattr(silent_connections, "_ANSWER_SECONDS", 0.3)
            patch.setattr(database_connection, "_CONNECT_SECONDS", 0.5)
            answers = await asyncio.gather(*(client.ask(READ) for _ in range(50)))
            assert {(answer["code"], answer["retryable"]) for answer in answers} == {
                ("INTERNAL", True)
            }
            assert await client.status("/readyz") == 503
            assert "metergraph_database_up 0.0" in await client.text("/metrics")
        warnings = [line["event"] for line in lines if line["log_level"] == "warning"]
        assert warnings.count("PostgreSQL cannot be used; trying again") == 1
        assert len(warnings) <= 4
        proxy.heal()
        async with asyncio.timeout(_SOON_SECONDS):
            while await client.status("/readyz") != 200:  # noqa: ASYNC110  # each look takes its time
                await asyncio.sleep(0.1)
        assert "events" in await client.ask(READ)


async def test_a_feed_goes_on_after_its_connection_fell_silent(
    behind: Settings, proxy: Proxy, organization: Organization
) -> None:
    token = await new_token(organization)
    async with (
        served(behind) as url,
        connected_to(url, token) as socket,
        asyncio.timeout(3 * _SOON_SECONDS),
    ):
        silenced = silenced_by(proxy, "FROM event_batch b")
        await subscribe(socket, "1", "subscription { eventsIngested { externalId } }")
        await fallen(silenced)
        await send(organization.id, {"externalId": "live"})
        await advance(organization.id)
        assert '"externalId":"live"' in str(await socket.recv())


@pytest.mark.parametrize("loses_answer", [False, True], ids=["question", "answer"])
async def test_a_silent_transaction_does_not_keep_its_locks(
    behind: Settings,
    settings: Settings,
    proxy: Proxy,
    organization: Organization,
    loses_answer: bool,
) -> None:
    await send(organization.id, {"externalId": "1"})
    begun = time.monotonic()
    async with asyncio.timeout(3 * _SOON_SECONDS):
        async with opened_database(behind, role="tests"):
            silenced = silenced_by(proxy, "UPDATE event_log", is_heard=loses_answer)
            unlucky = asyncio.create_task(advance(organization.id))
            await fallen(silenced)
            with pytest.raises(Exception, match="closed in the middle") as raised:
                await unlucky
            assert is_outage(raised.value)
            assert await advance(organization.id) is not None
            assert await advance(organization.id) is None
    assert time.monotonic() - begun < 2 * _SOON_SECONDS
    async with opened_database(settings, role="tests"):
        assert [
            batch.position for batch in await EventBatch.filter(organization_id=organization.id)
        ] == [1]


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(2)", "SELECT pg_advisory_xact_lock(77)"])
async def test_a_statement_that_takes_its_time_is_left_alone(
    behind: Settings, settings: Settings, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silent_connections, "_LONG_SECONDS", 0.1)
    async with connection_to(settings) as holder:
        await holder.execute("BEGIN; SELECT pg_advisory_xact_lock(77)")
        async with opened_database(behind, role="tests"), in_transaction() as connection:
            waiting = asyncio.create_task(connection.execute_query(statement))
            await asyncio.wait((waiting,), timeout=2)
            await holder.execute("ROLLBACK")
            count, _rows = await waiting
            assert count == 1


@pytest.mark.usefixtures("patient")
async def test_an_operator_is_answered_while_tenants_keep_every_connection(
    settings: Settings,
    organization: Organization,
    other_organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("metergraph.database.asyncpg_client._FREE_SECONDS", 120.0)
    unused = await new_token(other_organization)
    small = settings.model_copy(update={"database_pool_size": 2})
    async with api(small, await new_token(organization)) as (client,):
        newcomer = client.with_token(unused)
        async with locked(settings, "event") as holder:
            # One connection is for storing, and one for all else.
            tenants = [asyncio.create_task(client.ask(READ)) for _ in range(8)]
            storing = [asyncio.create_task(client.ask(INGEST, id=str(n))) for n in range(2)]
            await locks_awaited(holder, 2)
            assert await client.status("/readyz") == 200
            assert "metergraph_database_up 1.0" in await client.text("/metrics")
            assert await newcomer.ask("{ __typename }") == {"__typename": "Query"}
            assert not any(task.done() for task in (*tenants, *storing))
            await holder.execute("ROLLBACK")
            assert all("events" in answer for answer in await asyncio.gather(*tenants))
            assert all("eventsIngest" in answer for answer in await asyncio.gather(*storing))


async def test_closing_does_not_wait_for_silent_connections(behind: Settings, proxy: Proxy) -> None:
    async with opened_database(behind, role="tests") as context:
        await context.db().execute_query("SELECT 1")
        proxy.silence(also_new=True)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
