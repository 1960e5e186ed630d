"""What must be small: all that a customer's session sends, and subscriptions, which are kept."""

import pytest
from starlette.applications import Starlette

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api, make_token
from tests.transport.test_websocket import connected

QUERY = "{ __typename }"
USAGE = "subscription { usageUpdated { cursor } }"
LARGE = {"junk": "x" * 70_000}


@pytest.fixture
async def session(api: Api) -> str:
    """The token of a customer's session."""
    await api.get('mutation { customerCreate(input: {externalId: "acme"}) { customer { id } } }')
    opened = await api.get(
        'mutation { customerSessionCreate(input: {externalCustomerId: "acme"}) { token } }'
    )
    token: str = opened["customerSessionCreate"]["token"]
    return token


async def test_a_session_sends_small_requests(api: Api, session: str) -> None:
    body = {"query": QUERY, "variables": LARGE}
    assert (await api.post(body)).status_code == 200
    refused = await api.with_secret(session).post(body)
    assert refused.status_code == 413
    (error,) = refused.json()["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX", "maximumBytes": 65_536}
    assert (await api.with_secret(session).post({"query": QUERY})).status_code == 200


async def test_a_session_sends_small_messages(application: Starlette, session: str) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(session)
        await socket.subscribe(QUERY, **LARGE)
        closed = await socket.event()
        assert closed["code"] == 1009
        assert "organization's token" in closed["reason"]


async def test_a_subscription_is_small(application: Starlette, organization: Organization) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(await make_token(organization, Scope.ADMIN))
        await socket.subscribe(USAGE, "1", **LARGE)
        refused = await socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "1")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_COMPLEX"
        await socket.subscribe(QUERY, "2", **LARGE)
        assert (await socket.receive())["payload"]["data"] == {"__typename": "Query"}


async def test_a_subscription_is_small_as_a_stream(api: Api) -> None:
    body = {"query": USAGE, "variables": LARGE}
    refused = await api.post(body, accept="text/event-stream")
    assert refused.status_code == 413
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_COMPLEX"
