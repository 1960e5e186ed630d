"""How often a token may ask."""

import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError

from config.settings import Settings
from metering.live.wakeup import open_queue
from models import Organization
from schema.context import TokenIdentity
from schema.errors import PersistedQueryNotFound
from tests.serving import new_token, served
from tests.websocket_client import connected_to, subscribe
from transport.persisted_queries import PersistedQueries
from transport.rate_limits import RateLimits

pytestmark = pytest.mark.usefixtures("redis", "patience")

QUERY = {"query": "{ organization { name } }"}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@asynccontextmanager
async def limited(
    settings: Settings, organization: Organization, rate_limit: str, **changes: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API with this limit, with a token of its own."""
    headers = bearer(await new_token(organization))
    changed = settings.model_copy(update={"rate_limit": rate_limit, **changes})
    async with (
        served(changed) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):
        yield client


async def test_a_refused_request_says_when_to_try_again(
    settings: Settings, organization: Organization
) -> None:
    async with limited(settings, organization, "3/minute") as client:
        answers = [await client.post("/graphql", json=QUERY) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1].json()["errors"][0]
        assert refused["extensions"]["code"] == "RATE_LIMITED"
        seconds = refused["extensions"]["retryAfterSeconds"]
        assert 1 <= seconds <= 60
        assert answers[-1].headers["retry-after"] == str(seconds)
        # Each token has its own limit, and what is refused is not read.
        other = bearer(await new_token(organization)) | {"content-type": "application/json"}
        unread = [await client.post("/graphql", content="no", headers=other) for _ in range(4)]
        assert [answer.status_code for answer in unread] == [400, 400, 400, 429]


async def test_every_operation_of_a_batch_counts(
    settings: Settings, organization: Organization
) -> None:
    async with limited(settings, organization, "11/minute") as client:
        statuses = [
            (await client.post("/graphql", json=[QUERY] * size)).status_code for size in (4, 4, 4)
        ]
        assert statuses == [200, 200, 429]
        # What was refused counts as the one request that it was.
        assert (await client.post("/graphql", json=[QUERY] * 2)).status_code == 200


async def test_a_batch_larger_than_the_limit_is_not_told_to_wait(
    settings: Settings, organization: Organization
) -> None:
    async with limited(settings, organization, "3/minute") as client:
        refused = await client.post("/graphql", json=[QUERY] * 4)
        assert refused.status_code == 400
        assert "retry-after" not in refused.headers
        assert refused.json()["errors"][0]["extensions"] == {"code": "TOO_COMPLEX"}
        # It was one request, and none of its operations was run.
        assert (await client.post("/graphql", json=[QUERY] * 2)).status_code == 200
        assert (await client.post("/graphql", json=QUERY)).status_code == 429


async def test_an_operation_over_a_socket_is_a_request(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    async with (
        limited(settings, organization, "1/minute") as client,
        connected_to(str(client.base_url).rstrip("/"), token) as socket,
    ):
        for number in ("1", "2"):
            await subscribe(socket, number, QUERY["query"])
        answers = [json.loads(await socket.recv()) for _ in range(3)]
    (refused,) = [answer for answer in answers if answer["type"] == "error"]
    assert [error["extensions"]["code"] for error in refused["payload"]] == ["RATE_LIMITED"]


async def test_nothing_is_refused_while_redis_is_away(
    settings: Settings, organization: Organization
) -> None:
    away = {"redis_url": "redis://127.0.0.1:1/0"}
    async with limited(settings, organization, "1/minute", **away) as client:
        answers = [await client.post("/graphql", json=QUERY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_a_silent_redis_holds_no_request_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # patience
    # The kernel accepts the connection, and nothing answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue = open_queue(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.perf_counter()
        caller = TokenIdentity(uuid4(), uuid4(), frozenset())
        await RateLimits("1/minute", queue).take(caller)
        queries = PersistedQueries(queue)
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
        await queries.register("{ a }", extensions, caller)
        with pytest.raises(PersistedQueryNotFound):
            await queries.document(None, extensions, caller)
        assert time.perf_counter() - started < 60  # without a limit it would be for ever
        await queue.aclose()


def test_an_invalid_limit_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="rate_limit"):
        Settings(rate_limit="many")
