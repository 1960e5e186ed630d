"""What a batch counts as, and how long a Redis that does not answer may hold a request up."""

import socket
import time
from uuid import uuid4

import httpx
import pytest

from config.settings import Settings
from metering.live.wakeup import open_queue
from models import Organization
from schema.context import TokenIdentity
from schema.errors import PersistedQueryNotFound
from tests.serving import new_token, served
from transport.persisted_queries import PersistedQueries
from transport.rate_limits import RateLimits

QUERY = {"query": "{ organization { name } }"}


@pytest.mark.usefixtures("redis", "patience")
async def test_every_operation_of_a_batch_counts(
    settings: Settings, organization: Organization
) -> None:
    headers = {"authorization": f"Bearer {await new_token(organization)}"}
    limited = settings.model_copy(update={"rate_limit": "11/minute"})
    async with (
        served(limited) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):
        statuses = [
            (await client.post("/graphql", json=[QUERY] * size)).status_code for size in (4, 4, 4)
        ]
        assert statuses == [200, 200, 429]
        # What was refused counts as the one request that it was.
        assert (await client.post("/graphql", json=[QUERY] * 2)).status_code == 200


async def test_a_redis_that_does_not_answer_is_not_waited_for() -> None:
    # The kernel connects whoever comes, and nobody is there to answer.
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
        assert time.perf_counter() - started < 60  # in truth it would be for ever
        await queue.aclose()
