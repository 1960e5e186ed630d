"""In an outage of the database clients are told to try again, and no event is lost."""

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from config.settings import Settings
from models import Organization
from tests.postgres import locked
from tests.serving import new_token, served

INGEST = """
mutation { eventsIngest(input: {events: [
  {name: "call", externalId: "1", externalCustomerId: "c"}
]}) { inserted duplicates } }
"""
READ = "{ events { nodes { name } } }"


@pytest.fixture(autouse=True)
def _no_outage_is_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a request takes while the machine is busy."""
    monkeypatch.setattr("metergraph.asgi.app._QUIET_SECONDS", 600.0)


Answer = tuple[int, dict[str, Any]]


async def asked(url: str, token: str, query: str) -> Answer:
    """The status, and `data` or the only error's extensions."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        response = await client.post(
            "/graphql",
            json={"query": query},
            headers={
                "authorization": f"Bearer {token}",
                "accept": "application/graphql-response+json",
            },
        )
    body = response.json()
    if "errors" in body:
        (error,) = body["errors"]
        return response.status_code, error["extensions"]
    return response.status_code, body["data"]


def told(lines: list[EventDict]) -> list[str]:
    """What an operator reads at the usual level, of the product's own lines."""
    return [line["event"] for line in lines if line["log_level"] != "debug"]


@pytest.mark.parametrize("table", ["event_batch", "access_token"])
@pytest.mark.usefixtures("fresh_database")
async def test_an_ingest_that_is_cut_off_can_be_retried(
    settings: Settings, organization: Organization, table: str
) -> None:
    token = await new_token(organization)
    hasty = settings.model_copy(update={"statement_timeout_seconds": 0.2})
    async with served(hasty) as url:
        async with locked(settings, table):
            _status, extensions = await asked(url, token, INGEST)
        assert extensions["code"] == "INTERNAL"
        assert extensions["retryable"] is True
        patient = asyncio.timeout(60)
        async with patient:
            while True:
                _status, again = await asked(url, token, INGEST)
                if "eventsIngest" in again:
                    break
        assert again == {"eventsIngest": {"inserted": 1, "duplicates": 0}}


@pytest.mark.usefixtures("fresh_database")
async def test_a_query_that_is_cut_off_asks_for_too_much(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    hasty = settings.model_copy(update={"statement_timeout_seconds": 0.2})
    async with served(hasty) as url, locked(settings, "event"):
        _status, extensions = await asked(url, token, READ)
    assert extensions["code"] == "TOO_COMPLEX"
    assert "retryable" not in extensions


async def test_a_standby_answers_queries_and_lets_clients_send_their_events_again(
    settings: Settings, fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    token = await new_token(organization)
    async with served(settings) as url:
        assert await asked(url, token, INGEST) == (
            200,
            {"eventsIngest": {"inserted": 1, "duplicates": 0}},
        )
    # It is noted again when the token is used next.
    await fresh_database.execute_query("UPDATE access_token SET last_used_at = NULL")
    (row,) = await fresh_database.execute_query_dict("SELECT current_database() AS name")
    await fresh_database.execute_query(
        f'ALTER DATABASE "{row["name"]}" SET default_transaction_read_only = on'
    )
    async with served(settings) as url:
        with capture_logs() as lines:
            for _ in range(10):
                _status, extensions = await asked(url, token, INGEST)
                assert extensions == {"code": "INTERNAL", "retryable": True}
        assert told(lines) == ["PostgreSQL cannot be used; trying again"]
        assert await asked(url, token, READ) == (200, {"events": {"nodes": [{"name": "call"}]}})


async def test_a_full_disk_is_logged_when_it_is_full_and_when_it_is_not(
    settings: Settings,
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
) -> None:
    token = await new_token(organization)
    await fresh_database.execute_script(
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100';
        END $$;
        CREATE TRIGGER fail BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION fail()
        """
    )
    async with served(settings) as url:
        with capture_logs() as lines:
            for _ in range(10):
                _status, extensions = await asked(url, token, INGEST)
                assert extensions == {"code": "INTERNAL", "retryable": True}
                assert await asked(url, token, READ) == (200, {"events": {"nodes": []}})
            await fresh_database.execute_query("DROP TRIGGER fail ON event")
            client: Any = get_connection("default")
            client._outage._quiet_seconds = 0  # noqa: SLF001  # as if the time had passed
            await asked(url, token, READ)
        assert told(lines) == ["PostgreSQL cannot be used; trying again", "PostgreSQL is back"]
        assert (await asked(url, token, INGEST))[1] == {
            "eventsIngest": {"inserted": 1, "duplicates": 0}
        }
