"""Subscribers with the same selection share each update: it is made once."""

import asyncio
import pkgutil
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from graphql import ExecutionResult
from starlette.applications import Starlette

from models import Organization
from schema import updates
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain, send, usages
from tests.resolvers.token_meter import create_meter
from tests.serving import new_token
from tests.websocket_client import USAGE as WATCH
from tests.websocket_client import Socket, connected

EVENTS = "subscription { eventsIngested { id metadata customer { externalId } } }"
OTHERS = "subscription { eventsIngested { name } }"
USAGE = """subscription ($customer: String) { usageUpdated(externalCustomerId: $customer) {
  cursor customerMeter { consumedUnits customer { externalId } meter { name } } } }"""


OF_EVENT = "resolvers.subscriptions.events._made"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often updates were made of events, and of usage."""
    counter: Counter[str] = Counter()

    def counting(place: str, name: str) -> None:
        original = pkgutil.resolve_name(place)

        async def counted(*arguments: Any) -> Any:
            counter[name] += 1
            return await original(*arguments)

        monkeypatch.setattr(place, counted)

    counting(OF_EVENT, "event")
    counting("resolvers.subscriptions.usage._update", "usage")
    return counter


async def watching(
    stack: AsyncExitStack, application: Starlette, secret: str, *queries: str, **variables: Any
) -> list[Socket]:
    """A socket for each of the queries."""
    sockets = []
    for query in queries:
        socket = await stack.enter_async_context(connected(application, secret))
        await socket.subscribe(query, **variables)
        sockets.append(socket)
    return sockets


async def following(application: Starlette, count: int) -> None:
    async with asyncio.timeout(60):
        while application.state.graphql.services.feeds.followers != count:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)


async def test_an_event_is_made_once_for_all_with_the_same_selection(
    application: Starlette,
    organization: Organization,
    made: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = await new_token(organization)
    reader = await new_token(organization, Scope.USAGE_READ)
    monkeypatch.setattr(updates, "SECONDS", 600.0)
    async with AsyncExitStack() as stack:
        alike = await watching(stack, application, secret, *[EVENTS] * 4)
        (other,) = await watching(stack, application, secret, OTHERS)
        (less,) = await watching(stack, application, reader, EVENTS)
        await following(application, 6)
        await send(organization.id, *usages(["0.30000000000000004", "🚀"]))
        await drain(organization.id)
        texts = [[(await socket.event())["text"] for _ in range(2)] for socket in alike]
        assert texts[1:] == texts[:1] * 3
        assert [(await less.event())["text"] for _ in range(2)] == texts[0]
        assert (await other.receive())["payload"]["data"] == {
            "eventsIngested": {"name": "ai_usage"}
        }
        # Once for the four, once for those who may see less, once for another selection.
        await other.event()
        assert made == {"event": 2 * 3}

        # Nothing is shared any more: each makes its own, which is the same.
        monkeypatch.setattr(updates, "SECONDS", -1.0)
        await send(organization.id, *usages([3]))
        await drain(organization.id)
        alone = [(await socket.event())["text"] for socket in (*alike, less)]
        assert made["event"] == 2 * 3 + 6
        assert alone == alone[:1] * 5
        assert '"metadata":{"tokens": 3}' in alone[0]


async def test_usage_that_many_watch_is_made_once_per_change(
    application: Starlette,
    api: Api,
    organization: Organization,
    made: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(updates, "SECONDS", 600.0)
    await create_meter(api)
    await send(organization.id, *usages([5]))
    await drain(organization.id)
    secret = api.secret
    async with AsyncExitStack() as stack:
        sockets = await watching(stack, application, secret, *[USAGE] * 5, customer="c1")
        state = [(await socket.event())["text"] for socket in sockets]
        assert state == state[:1] * 5
        assert '"consumedUnits":"5","customer":{"externalId":"c1"}' in state[0]
        assert made == {"usage": 1}
        (everybody,) = await watching(stack, application, secret, USAGE)
        assert (await everybody.event())["text"] == state[0]
        assert made == {"usage": 2}  # another variable is another question
        await send(organization.id, *usages([7]))
        await drain(organization.id)
        changed = [(await socket.event())["text"] for socket in (*sockets, everybody)]
        assert changed == changed[:1] * 6
        assert '"consumedUnits":"12"' in changed[0]
        assert made == {"usage": 4}


async def test_the_subscriber_that_makes_an_update_may_leave_early(
    application: Starlette, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()
    of_event = pkgutil.resolve_name(OF_EVENT)

    async def slowly(*arguments: Any) -> Any:
        begun.set()
        await goes_on.wait()
        return await of_event(*arguments)

    monkeypatch.setattr(OF_EVENT, slowly)
    secret = await new_token(organization)
    async with AsyncExitStack() as stack:
        sockets = await watching(stack, application, secret, *[EVENTS] * 2)
        await following(application, 2)
        await send(organization.id, *usages([1]))
        await drain(organization.id)
        async with asyncio.timeout(60):
            await begun.wait()
        await sockets[0].send({"type": "complete", "id": "1"})
        await following(application, 1)
        goes_on.set()
        assert (await sockets[1].receive())["type"] == "next"


async def test_an_update_that_failed_is_made_again() -> None:
    shared = updates.SharedUpdates()
    tried: list[int] = []

    async def make() -> Any:
        tried.append(len(tried))
        if len(tried) == 1:
            raise ConnectionResetError
        return ExecutionResult({"n": len(tried)}), 10

    with pytest.raises(ConnectionResetError):
        await shared.result("key", make, None)
    results = [await shared.result("key", make, None) for _ in range(3)]
    assert [result.data for result in results] == [{"n": 2}] * 3


async def test_shared_updates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "MOST_BYTES", 100)
    shared = updates.SharedUpdates()

    async def make() -> Any:
        return ExecutionResult({}), 40

    for number in range(50):
        await shared.result(number, make, None)
    assert len(shared._made) <= 3  # noqa: SLF001  # the memory that is bounded


async def test_a_session_has_ten_subscriptions_and_other_sessions_theirs(
    application: Starlette, api: Api, organization: Organization
) -> None:
    await send(organization.id, *usages([5]))
    one, two = [await api.session("c1") for _ in range(2)]
    async with AsyncExitStack() as stack:
        await watching(stack, application, one.secret, *[WATCH] * 9)
        (last,) = await watching(stack, application, one.secret, WATCH)
        await following(application, 10)
        await last.subscribe(WATCH, "2")
        refused = await last.receive()
        assert (refused["type"], refused["id"]) == ("error", "2")
        assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        response = await one.post({"query": WATCH}, accept="text/event-stream")
        assert response.status_code == 429
        # A question is no subscription, and another session has ten of its own.
        await last.subscribe("{ viewer { externalId } }", "3")
        assert (await last.receive())["payload"]["data"] == {"viewer": {"externalId": "c1"}}
        assert (await last.receive())["type"] == "complete"
        await watching(stack, application, two.secret, WATCH)
        await following(application, 11)
        await last.send({"type": "complete", "id": "1"})
        await following(application, 10)
        await last.subscribe(WATCH, "4")
        await following(application, 11)
