"""Persisted queries: registered by clients, or listed by the operator."""

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
from metering.wakeup import open_queue
from models import Organization
from schema.application import graphql_routes, opened_api
from schema.context import Scope
from schema.errors import BadUserInput, PersistedQueryNotFound
from schema.persisted_queries import PersistedQueries, listed_documents
from tests.graphql_client import Api, make_token
from tests.schema.test_websocket import connected

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


async def test_a_stranger_registers_nothing(api: Api) -> None:
    query = "query Strange { __typename }"
    assert await codes(api.anonymous, {"query": query, "extensions": hashed(query)}) == []
    assert await codes(api, {"extensions": hashed(query)}) == ["PERSISTED_QUERY_NOT_FOUND"]


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
async def test_a_hash_that_is_none_of_the_document_is_refused(api: Api, extensions: Any) -> None:
    response = await api.post({"query": QUERY, "extensions": extensions})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_batch_may_name_hashes(api: Api) -> None:
    unknown = "query New { organization { slug } }"
    answers = (await api.post([{"query": QUERY}, {"extensions": hashed(unknown)}])).json()
    assert answers[0]["data"] == {"organization": {"name": "Test"}}
    assert answers[1]["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_a_socket_takes_hashes(application: Starlette, api: Api) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(api.headers["authorization"].removeprefix("Bearer "))
        await socket.send(
            {"id": "1", "type": "subscribe", "payload": {"extensions": hashed(OTHER)}}
        )
        error = await socket.receive()
        assert error["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        payload = {"query": OTHER, "extensions": hashed(OTHER)}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        assert (await socket.receive())["payload"]["data"] == {"meters": {"totalCount": 0}}


async def test_without_redis_documents_are_sent_in_full() -> None:
    gone = open_queue("redis://127.0.0.1:1/0")
    queries = PersistedQueries(gone)
    assert await queries.document(QUERY, hashed(QUERY), keep=True) == QUERY
    with pytest.raises(PersistedQueryNotFound):
        await queries.document(None, hashed(QUERY), keep=True)
    with pytest.raises(BadUserInput):
        await queries.document(None, None, keep=True)
    await gone.aclose()


@pytest.fixture
async def listing_api(
    settings: Settings,
    database: BaseDBAsyncClient,
    redis: ArqRedis,
    organization: Organization,
    tmp_path: Path,
) -> AsyncIterator[Api]:
    """The API, of an operator who lists QUERY and a subscription."""
    path = tmp_path / "queries.json"
    operations = [{"id": "1", "name": "Mine", "type": "query", "body": QUERY}]
    path.write_text(
        json.dumps(
            {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
        )
    )
    listing = settings.model_copy(update={"persisted_queries": path})
    async with opened_api(listing, redis) as graphql:
        app = Starlette(routes=graphql_routes(listing))
        app.state.graphql = graphql
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://metergraph") as client:
            yield Api(client).with_secret(await make_token(organization, Scope.ADMIN))


async def test_with_a_list_nothing_else_is_run(listing_api: Api) -> None:
    named = {"organization": {"name": "Test"}}
    for body in ({"query": QUERY}, {"extensions": hashed(QUERY)}):
        assert (await listing_api.post(body)).json()["data"] == named
    for query in (OTHER, QUERY + " ", "{ __schema { types { name } } }"):
        assert await codes(listing_api, {"query": query}) == ["FORBIDDEN"]
        registering = {"query": query, "extensions": hashed(query)}
        assert await codes(listing_api, registering) == ["FORBIDDEN"]
        assert await codes(listing_api, {"extensions": hashed(query)}) == [
            "PERSISTED_QUERY_NOT_FOUND"
        ]


def test_a_list_is_apollo_s_manifest_or_an_object_of_documents(tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"0": QUERY, "1": OTHER}))
    assert listed_documents(path) == {QUERY, OTHER}
    for wrong in ("[]", "{}", '{"a": 1}', '{"operations": [{"id": "1"}]}', "nonsense"):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=r"persisted queries|Expecting"):
            listed_documents(path)
