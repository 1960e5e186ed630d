"""eventsFollowed: events as they are counted, from a cursor on, by filter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain, send
from tests.serving import new_token
from tests.websocket_client import Socket, connected

FOLLOW = """subscription (
  $names: [String!], $who: String, $id: ID, $where: MeterFilterInput, $after: String
) {
  eventsFollowed(
    names: $names, externalCustomerId: $who, customerId: $id, where: $where, after: $after
  ) { cursor event { externalId customer { externalId } } }
}"""


def clause(property_: str, operator: str, value: Any) -> dict[str, Any]:
    return {"clause": {"property": property_, "operator": operator, "value": value}}


MANY = {"clauses": [clause("tokens", "GREATER_THAN", 2)]}


async def counted(organization: Organization, first: int, last: int) -> None:
    """Events e<first>… in three batches: a name and a customer for every third, some tokens."""
    for batch in range(3):
        events = [
            {
                "externalId": f"e{number}",
                "name": "even" if number % 2 == 0 else "odd",
                "externalCustomerId": f"c{number % 3}",
                "metadata": {"tokens": number % 5},
            }
            for number in range(first, last)
            if number % 3 == batch
        ]
        if events:
            await send(organization.id, *events)
    await drain(organization.id)


@asynccontextmanager
async def following(app: Starlette, api: Api, **asked: Any) -> AsyncIterator[Socket]:
    """A socket that follows events once it is in the block."""
    feeds = app.state.graphql.services.feeds
    async with connected(app, api.secret) as socket:
        await socket.subscribe(FOLLOW, **asked)
        async with asyncio.timeout(60):
            while not feeds.followers:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.001)
        yield socket


async def updates(socket: Socket, number: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(number):
        message = await socket.receive()
        assert message["type"] == "next", message
        found.append(message["payload"]["data"]["eventsFollowed"])
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [update["event"]["externalId"] for update in found]


def in_order(first: int, last: int) -> list[int]:
    return [n for batch in range(3) for n in range(first, last) if n % 3 == batch]


SELECTIONS: dict[str, tuple[dict[str, Any], Any]] = {
    "all": ({}, lambda n: n >= 0),
    "a name": ({"names": ["even", "\0"]}, lambda n: n % 2 == 0),
    "a customer": ({"who": "c1"}, lambda n: n % 3 == 1),
    "a filter": ({"where": MANY}, lambda n: n % 5 > 2),
    "all of them": (
        {"names": ["odd"], "who": "c2", "where": MANY},
        lambda n: n % 2 == 1 and n % 3 == 2 and n % 5 > 2,
    ),
}


@pytest.mark.parametrize("asked", SELECTIONS)
async def test_events_are_followed_from_now_on_and_from_any_cursor_on(
    application: Starlette,
    api: Api,
    organization: Organization,
    other_organization: Organization,
    asked: str,
) -> None:
    selection, wanted = SELECTIONS[asked]
    await counted(organization, 0, 15)
    await counted(other_organization, 0, 15)
    expected = [f"e{n}" for n in in_order(15, 315) if wanted(n)]
    async with following(application, api, **selection) as socket:
        await counted(organization, 15, 315)
        seen = await updates(socket, len(expected))
    assert ids(seen) == expected
    for place in (0, len(seen) // 2, len(seen) - 2):
        resumed = {**selection, "after": seen[place]["cursor"]}
        async with following(application, api, **resumed) as socket:
            again = await updates(socket, len(seen) - place - 1)
            assert again == seen[place + 1 :]
            if place == 0:
                # What comes while it is followed comes once, and after the rest.
                await counted(organization, 315, 345)
                late = [f"e{n}" for n in in_order(315, 345) if wanted(n)]
                assert ids(await updates(socket, len(late))) == late
        seen = seen[: len(expected)]
        if place == 0:
            expected += late
            async with following(application, api, **resumed) as socket:
                seen = [seen[0], *await updates(socket, len(expected) - 1)]
    assert ids(seen) == expected


@pytest.mark.parametrize(
    "asked",
    [
        {"after": ""},
        {"after": "x"},
        {"after": "x" * 1_000},
        {"after": "\0"},
        {"where": {"clauses": [clause("tokens", "CONTAINS", {})]}},
        {"where": {"clauses": [clause("\0", "EQUALS", 1)]}},
        {"who": "a", "id": "b"},
    ],
)
async def test_a_malformed_request_is_refused(
    application: Starlette, api: Api, asked: dict[str, Any]
) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(FOLLOW, **asked)
        message = await socket.receive()
        errors = message["payload"]
        found = errors if isinstance(errors, list) else errors["errors"]
        assert [error["extensions"]["code"] for error in found] == ["BAD_USER_INPUT"]


async def test_following_events_needs_the_scope_that_reads_usage(
    application: Starlette, api: Api, organization: Organization
) -> None:
    session = await api.session("c1")
    for secret in (await new_token(organization, Scope.BILLING_READ), session.secret):
        async with connected(application, secret) as socket:
            await socket.subscribe(FOLLOW)
            assert '"FORBIDDEN"' in (await socket.event())["text"]
