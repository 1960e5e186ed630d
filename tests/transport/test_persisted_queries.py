"""Persisted queries: registered by clients, or listed in an operator's file."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metering.live.wakeup import open_queue
from models import Organization
from models.identifiers import new_id
from schema.context import TokenIdentity
from schema.errors import BadUserInput, PersistedQueryNotFound
from tests.graphql_client import Api
from tests.serving import new_token
from tests.websocket_client import connected
from transport import persisted_queries
from transport.application import graphql_routes, opened_api
from transport.persisted_queries import PersistedQueries, digest

pytestmark = pytest.mark.usefixtures("patience")

QUERY = "query Mine { organization { name } }"
OTHER = "{ meters { totalCount } }"


def hashed(query: str) -> dict[str, Any]:
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


async def codes(api: Api, body: Any) -> list[str]:
    answer = (await api.post(body)).json()
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


async def test_a_hash_is_unknown_until_it_comes_with_its_document(api: Api) -> None:
    by_hash = {"extensions": hashed(QUERY)}
    unknown = await api.post(by_hash)
    assert unknown.status_code == 200
    # Apollo Client looks for these words.
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert await codes(api, by_hash) == ["PERSISTED_QUERY_NOT_FOUND"]
    for body in ({"query": QUERY, **by_hash}, by_hash, {"query": "", **by_hash}):
        assert (await api.post(body)).json()["data"] == {"organization": {"name": "Test"}}
    # By GET too, as caches like it; and with the variables of the moment.
    parameters = {"extensions": json.dumps(hashed(QUERY)), "operationName": "Mine"}
    found = await api.http.get("/graphql", params=parameters, headers=api.headers)
    assert found.json()["data"] == {"organization": {"name": "Test"}}


async def test_only_organization_tokens_register_queries(api: Api) -> None:
    query = "query Strange { __typename }"
    by_hash = {"extensions": hashed(query)}
    session = await api.session("acme")
    for caller in (api.anonymous, session):
        assert await codes(caller, {"query": query, **by_hash}) == []
        # Upon these words Apollo Client sends no more hashes.
        refused = (await caller.post(by_hash)).json()["errors"][0]
        assert refused["message"] == "PersistedQueryNotSupported"
        assert refused["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert await codes(api, by_hash) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert await codes(api, {"query": query, **by_hash}) == []
    assert (await session.post(by_hash)).json()["data"] == {"__typename": "Query"}


async def test_each_organization_has_its_own(api: Api, other_api: Api) -> None:
    by_hash = {"extensions": hashed(QUERY)}
    assert await codes(api, {"query": QUERY, **by_hash}) == []
    assert await codes(other_api, by_hash) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "query",
    [
        "}{",
        "{ nothing }",
        "{" + "a " * 5_000 + "}",
        "# \ud800",
        "{ meters { totalCount } } #" + "x" * 10_000,
        "subscription { usageUpdated { cursor } }",
    ],
)
async def test_only_short_valid_queries_are_kept(api: Api, redis: ArqRedis, query: str) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}
    body = json.dumps({"query": query, "extensions": extensions})
    assert "INTERNAL" not in (await api.post(body)).text
    assert await codes(api, {"extensions": extensions}) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert await redis.keys("metergraph:quer*") == []


async def test_an_organization_keeps_only_its_newest_queries(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persisted_queries, "MOST_OF_AN_ORGANIZATION", 3)
    caller = TokenIdentity(new_id(), new_id(), frozenset())
    queries = PersistedQueries(redis)
    texts = [f"query Q{number} {{ __typename }}" for number in range(6)]
    for text in [*texts, texts[4]]:
        await queries.register(text, hashed(text), caller)
    found = []
    for text in texts:
        try:
            found.append(await queries.document(None, hashed(text), caller))
        except PersistedQueryNotFound:
            continue
    assert found == texts[3:]
    assert len(await redis.keys("metergraph:query:*")) == 3
    for key in await redis.keys("metergraph:quer*"):
        assert 0 < await redis.ttl(key) <= 7 * 24 * 3600


async def test_a_stored_document_that_does_not_match_its_hash_is_not_run(
    api: Api, redis: ArqRedis
) -> None:
    by_hash = {"extensions": hashed(QUERY)}
    assert await codes(api, {"query": QUERY, **by_hash}) == []
    (key,) = await redis.keys("metergraph:query:*")
    await redis.set(key, b"mutation { accessTokenRevoke(input: {id: 1}) { token { id } } }")
    assert await codes(api, by_hash) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "extensions",
    [
        hashed(OTHER),
        {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}},
        {"persistedQuery": {"version": 1, "sha256Hash": "0" * 63}},
        {"persistedQuery": {"version": 1, "sha256Hash": 1}},
        {"persistedQuery": "0" * 64},
    ],
)
async def test_a_hash_that_does_not_match_is_refused(api: Api, extensions: Any) -> None:
    response = await api.post({"query": QUERY, "extensions": extensions})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_batch_may_name_hashes(api: Api) -> None:
    unknown = "query New { organization { slug } }"
    answers = (await api.post([{"query": QUERY}, {"extensions": hashed(unknown)}])).json()
    assert answers[0]["data"] == {"organization": {"name": "Test"}}
    assert answers[1]["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_a_socket_takes_hashes(application: Starlette, api: Api) -> None:
    async with connected(application, api.secret) as socket:
        await socket.request({"extensions": hashed(OTHER)})
        error = await socket.receive()
        assert error["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await socket.request({"query": OTHER, "extensions": hashed(OTHER)})
        assert (await socket.receive())["payload"]["data"] == {"meters": {"totalCount": 0}}


async def test_without_redis_documents_are_sent_in_full() -> None:
    gone = open_queue("redis://127.0.0.1:1/0")
    queries = PersistedQueries(gone)
    caller = TokenIdentity(new_id(), new_id(), frozenset())
    assert await queries.document(QUERY, hashed(QUERY), caller) == QUERY
    await queries.register(QUERY, hashed(QUERY), caller)
    with pytest.raises(PersistedQueryNotFound):
        await queries.document(None, hashed(QUERY), caller)
    with pytest.raises(BadUserInput):
        await queries.document(None, None, caller)
    await gone.aclose()


@pytest.fixture
async def listing_application(
    settings: Settings, database: BaseDBAsyncClient, redis: ArqRedis, tmp_path: Path
) -> AsyncIterator[Starlette]:
    """The application of an operator who lists QUERY."""
    path = tmp_path / "queries.json"
    operations = [{"id": "1", "name": "Mine", "type": "query", "body": QUERY}]
    path.write_text(
        json.dumps(
            {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
        )
    )
    listing = settings.model_copy(update={"persisted_queries": path})
    async with opened_api(listing, redis) as graphql:
        app = Starlette(routes=graphql_routes())
        app.state.graphql = graphql
        yield app


@pytest.fixture
async def listing_api(
    listing_application: Starlette, organization: Organization
) -> AsyncIterator[Api]:
    """Its API, with a token that may do everything."""
    transport = httpx.ASGITransport(listing_application)
    async with httpx.AsyncClient(transport=transport, base_url="http://metergraph") as client:
        yield Api(client).with_secret(await new_token(organization))


UNLISTED = [
    OTHER,
    QUERY + " ",
    QUERY.replace(" ", "\n"),
    "\ufeff" + QUERY,
    f"{QUERY} query Other {{ meters {{ totalCount }} }}",
    "{ __schema { types { name } } }",
    "subscription { usageUpdated { cursor } }",
    "mutation { meterArchive(input: {id: 1}) { userErrors { code } } }",
]


async def test_listed_queries_are_run(listing_api: Api) -> None:
    named = {"organization": {"name": "Test"}}
    for body in (
        {"query": QUERY},
        {"query": QUERY, "operationName": "Mine"},
        {"extensions": hashed(QUERY)},
    ):
        assert (await listing_api.post(body)).json()["data"] == named
    # Its name is not that of another operation.
    assert await codes(listing_api, {"query": QUERY, "operationName": "X"}) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("query", UNLISTED)
async def test_unlisted_queries_are_refused(listing_api: Api, query: str) -> None:
    for operation_name in (None, "", "Mine", "Other"):
        for extensions in (None, hashed(query)):
            body = {"query": query, "operationName": operation_name, "extensions": extensions}
            assert await codes(listing_api, body) == ["FORBIDDEN"]
            batch = (await listing_api.post([body, {"query": QUERY}])).json()
            assert batch[0]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert batch[1]["data"] == {"organization": {"name": "Test"}}
    assert await codes(listing_api, {"extensions": hashed(query)}) == ["PERSISTED_QUERY_NOT_FOUND"]
    by_get = await listing_api.http.get(
        "/graphql", params={"query": query}, headers=listing_api.headers
    )
    assert by_get.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    stream = await listing_api.post({"query": query}, accept="text/event-stream")
    assert '"FORBIDDEN"' in stream.text
    assert '"data":{' not in stream.text


async def test_unlisted_queries_are_refused_over_sockets(
    listing_application: Starlette, listing_api: Api
) -> None:
    async with connected(listing_application, listing_api.secret) as socket:
        for query in UNLISTED:
            await socket.subscribe(query)
            refused = await socket.receive()
            assert refused["type"] == "error"
            assert refused["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        await socket.request({"extensions": hashed(QUERY)})
        assert (await socket.receive())["payload"]["data"] == {"organization": {"name": "Test"}}
