"""A large call is read and checked piece by piece, between which others are answered."""

import asyncio
from collections.abc import Hashable
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization
from tests.graphql_client import Api
from tests.websocket_client import connected
from waiting.turns import Pace

INGEST = """mutation ($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) { inserted userErrors { message path } } }"""


class Pieces(Pace):
    """Lets one piece through when it is told to."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: list[tuple[Hashable, float]] = []
        self._allowed = asyncio.Semaphore(0)
        self._came = asyncio.Event()

    async def turn(self, key: Hashable, weight: float = 1.0) -> None:
        self.asked.append((key, weight))
        self._came.set()
        await self._allowed.acquire()

    async def until(self, count: int) -> None:
        """Waits until so many have asked."""
        async with asyncio.timeout(60):
            while len(self.asked) < count:
                self._came.clear()
                await self._came.wait()

    def go_on(self) -> None:
        """Lets one through."""
        self._allowed.release()


@pytest.fixture
def pieces(application: Starlette, monkeypatch: pytest.MonkeyPatch) -> Pieces:
    made = Pieces()
    services = application.state.graphql.services
    monkeypatch.setattr(type(services.pace), "turn", lambda _pace, *args: made.turn(*args))
    return made


def events(count: int, filler: str = "x" * 400) -> list[dict[str, Any]]:
    return [
        {"name": "n", "externalCustomerId": "c", "metadata": {"number": n, "filler": filler}}
        for n in range(count)
    ]


async def test_others_are_answered_between_the_pieces_of_a_large_call(
    api: Api, other_api: Api, organization: Organization, pieces: Pieces
) -> None:
    large = asyncio.create_task(api.get(INGEST, events=events(450)))
    # Before it is read and after, by its size, and before each 200 events but the first.
    for count in range(1, 5):
        await pieces.until(count)
        assert (await other_api.get(INGEST, events=events(2)))["eventsIngest"]["inserted"] == 2
        assert not large.done()
        pieces.go_on()
    answer = (await large)["eventsIngest"]
    assert answer == {"inserted": 450, "userErrors": []}
    assert [key for key, _ in pieces.asked] == [organization.id] * 4
    weights = [weight for _, weight in pieces.asked]
    assert weights[0] == weights[1] > 8
    assert weights[2:] == [10, 10]


async def test_a_large_message_waits_for_its_turn(
    application: Starlette, api: Api, organization: Organization, pieces: Pieces
) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(INGEST, events=events(150, "x" * 500))
        await pieces.until(1)
        assert socket.outgoing.empty()
        pieces.go_on()
        answer = (await socket.receive())["payload"]["data"]["eventsIngest"]
        assert answer == {"inserted": 150, "userErrors": []}
    assert [key for key, _ in pieces.asked] == [organization.id]


async def test_a_mistake_far_into_a_large_call_has_its_path(api: Api) -> None:
    sent = events(450)
    sent[444]["metadata"] = {"": 1}
    answer = (await api.get(INGEST, events=sent))["eventsIngest"]
    assert answer["inserted"] == 0
    (error,) = answer["userErrors"]
    assert error["path"][:2] == ["events", "444"]


MANY = dict.fromkeys((f"key{number}" for number in range(1_001)), 1)


@pytest.mark.parametrize(
    "sent",
    [
        {"events": [{"name": "n", "externalCustomerId": "c", **MANY}]},
        {"events": {"name": "n", "externalCustomerId": "c", **MANY}},
        {"events": [{"name": "n", "unknown": 1, "metadata": MANY}]},
        {"events": [{"name": ["n"] * 10_001}]},
        {"events": [], **MANY},
    ],
)
async def test_what_takes_long_to_describe_is_refused_at_once(
    api: Api, sent: dict[str, Any]
) -> None:
    """graphql-core quotes all of it for each key that it does not know."""
    query = "mutation ($input: EventsIngestInput!) { eventsIngest(input: $input) { inserted } }"
    (error,) = (await api.ask(query, input=sent))["errors"]
    assert error["extensions"]["code"] == "TOO_COMPLEX"


async def test_odd_events_of_the_usual_size_are_refused_in_words(api: Api) -> None:
    sent = [*events(9_999, "x"), {"name": "n", "nme": 1}]
    (error,) = (await api.ask(INGEST, events=sent))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "unknown field 'nme'" in error["message"]
