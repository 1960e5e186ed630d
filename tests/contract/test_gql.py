"""The server with PyPI gql, over HTTP and WebSocket; its own check of documents against the schema.

Needs no Node.js.
"""

from typing import Any

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosedError

from tests.contract.server import SECONDS, Server

INGEST = gql("""
    mutation Ingest($input: EventsIngestInput!) {
      eventsIngest(input: $input) { inserted receipts { status } userErrors { message } }
    }
""")
CREATE_METER = gql("""
    mutation {
      meterCreate(input: { name: "Calls", filter: {}, aggregation: { function: COUNT } }) {
        meter { id }
        userErrors { message }
      }
    }
""")
CUSTOMERS = gql("""
    query Customers($after: String) {
      customers(first: 2, after: $after) {
        nodes { externalId }
        pageInfo { hasNextPage endCursor }
      }
    }
""")
USAGE = gql("subscription { usageUpdated { cursor customerMeter { consumedUnits } } }")
EVENTS = {"events": [{"name": "call", "externalCustomerId": f"c{n}"} for n in range(5)]}


def over_http(server: Server, token: str | None = None) -> Client:
    transport = HTTPXAsyncTransport(
        url=server.url,
        headers={"authorization": f"Bearer {token or server.token}"},
        timeout=SECONDS,
    )
    return Client(transport=transport, fetch_schema_from_transport=True, execute_timeout=SECONDS)


def over_websocket(server: Server, token: str | None = None) -> Client:
    transport = WebsocketsTransport(
        url=server.url.replace("http", "ws", 1),
        init_payload={"authorization": f"Bearer {token or server.token}"},
        connect_timeout=SECONDS,
        ack_timeout=SECONDS,
    )
    return Client(transport=transport, execute_timeout=SECONDS)


def with_variables(document: Any, **variables: Any) -> Any:
    document.variable_values = variables
    return document


async def test_http_queries_mutations_pages_and_errors(server: Server) -> None:
    async with over_http(server) as session:
        sent = await session.execute(with_variables(INGEST, input=EVENTS))
        assert sent["eventsIngest"]["inserted"] == 5

        found: list[str] = []
        after = None
        while True:
            page = (await session.execute(with_variables(CUSTOMERS, after=after)))["customers"]
            found += [node["externalId"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert sorted(found) == [f"c{n}" for n in range(5)]

        with pytest.raises(TransportQueryError) as refused:
            await session.execute(gql("{ customers(first: 101) { nodes { id } } }"))
        assert refused.value.errors is not None
        assert refused.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_websocket_queries_and_subscriptions_share_a_connection(server: Server) -> None:
    async with over_websocket(server) as session:
        made = await session.execute(CREATE_METER)
        assert made["meterCreate"]["userErrors"] == []
        await session.execute(with_variables(INGEST, input=EVENTS))
        seen = 0
        async for result in session.subscribe(USAGE):
            assert result["usageUpdated"]["customerMeter"]["consumedUnits"] == "1"
            seen += 1
            if seen == 5:
                break


async def test_a_bad_token_does_not_get_a_connection(server: Server) -> None:
    with pytest.raises(TransportConnectionFailed) as refused:
        async with over_websocket(server, token="mg_nobody") as session:
            await session.execute(CREATE_METER)
    closed = refused.value.__cause__
    assert isinstance(closed, ConnectionClosedError)
    assert closed.rcvd is not None
    assert closed.rcvd.code == 4403
