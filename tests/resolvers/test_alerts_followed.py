"""Triggers of alerts are followed over a WebSocket, and resumed with a cursor."""

import asyncio

import pytest
from starlette.applications import Starlette

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.alerting import DELETE, consumed, create, token_meter, use
from tests.serving import new_token
from tests.websocket_client import Socket, connected

FOLLOW = """subscription ($after: String) { alertTriggered(after: $after) {
  cursor trigger { value customer { externalId } alert { name } }
} }"""


@pytest.fixture
async def meter(api: Api, organization: Organization) -> str:
    return await token_meter(api, organization)


async def next_trigger(socket: Socket) -> tuple[str, str]:
    """What came, and its cursor."""
    message = await socket.receive()
    assert message["type"] == "next", message
    update = message["payload"]["data"]["alertTriggered"]
    trigger = update["trigger"]
    who = trigger["customer"]["externalId"]
    return f"{trigger['alert']['name']} {who} {trigger['value']}", update["cursor"]


async def followers(app: Starlette, number: int) -> None:
    feeds = app.state.graphql.services.feeds
    async with asyncio.timeout(60):
        while feeds.followers != number:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.001)


async def test_triggers_are_followed_and_resumed_with_a_cursor(
    application: Starlette, api: Api, organization: Organization, meter: str
) -> None:
    await create(api, consumed(meter, "10", name="ten"))
    await create(api, consumed(meter, "20", name="twenty"))
    await use(organization, "before", 15)
    async with connected(application, api.secret) as socket:
        await socket.subscribe(FOLLOW)
        await followers(application, 1)
        await use(organization, "acme", 15)
        first, cursor = await next_trigger(socket)
        assert first == "ten acme 15"
    await followers(application, 0)
    # Nobody listens.
    await use(organization, "acme", 10)
    await use(organization, "globex", 5)
    await use(organization, "globex", 5)
    async with connected(application, api.secret) as socket:
        await socket.subscribe(FOLLOW, after=cursor)
        found = [(await next_trigger(socket))[0] for _ in range(2)]
        assert found == ["twenty acme 25", "ten globex 10"]
        await use(organization, "globex", 10)
        assert (await next_trigger(socket))[0] == "twenty globex 20"


async def test_triggers_of_a_deleted_alert_are_not_sent(
    application: Starlette, api: Api, organization: Organization, meter: str
) -> None:
    kept = await create(api, consumed(meter, "10", name="kept"))
    gone = await create(api, consumed(meter, "20", name="gone"))
    await use(organization, "first", 15)
    async with connected(application, api.secret) as socket:
        await socket.subscribe(FOLLOW)
        await followers(application, 1)
        await use(organization, "second", 15)
        _first, cursor = await next_trigger(socket)
        await use(organization, "third", 25)
        assert {(await next_trigger(socket))[0] for _ in range(2)} == {
            "kept third 25",
            "gone third 25",
        }
        await api.get(DELETE, id=gone["id"])
        # The feed still knows both.
        await socket.subscribe(FOLLOW, number="again", after=cursor)
        assert (await next_trigger(socket))[0] == "kept third 25"
        await use(organization, "fourth", 25)
        both = [(await next_trigger(socket))[0] for _ in range(2)]
        assert both == ["kept fourth 25"] * 2
    assert kept["name"] == "kept"


@pytest.mark.parametrize("after", ["", "x", "MTox", "LTE6MDAwMDAwMDA"])
async def test_what_is_no_cursor_is_refused(application: Starlette, api: Api, after: str) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(FOLLOW, after=after)
        message = await socket.receive()
    assert message["payload"]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_token_without_the_scope_follows_nothing(
    application: Starlette, api: Api, organization: Organization
) -> None:
    reader = await new_token(organization, Scope.USAGE_READ)
    async with connected(application, reader) as socket:
        await socket.subscribe(FOLLOW)
        message = await socket.receive()
    assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"
