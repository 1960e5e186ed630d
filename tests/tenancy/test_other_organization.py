"""Whatever one organization names of another's is answered as if it had never been.

Every place of the schema where something is named is tried with an id of every type.
"""

import asyncio
import re
from itertools import product
from typing import Any

import pytest
from starlette.applications import Starlette
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization, exact_json
from models.identifiers import new_id
from resolvers.queries.nodes import NODE_TYPES
from schema.ids import decode_id, encode_id
from tests.graphql_client import Api
from tests.tenancy.places import Place, arguments, field_of, operation, places
from tests.tenancy.world import Tenant, fingerprint, settled
from tests.websocket_client import Socket, connected

PLACES = places()
NODES = {"Query", "Mutation", *NODE_TYPES}


def groups(*kinds: str) -> dict[str, list[Place]]:
    """Places that can share their tenants: those that only read, by the type they belong to."""
    found: dict[str, list[Place]] = {}
    for place in PLACES:
        if place.kind in kinds and place.parent in NODES:
            name = str(place) if place.parent == "Mutation" else place.parent
            found.setdefault(name, []).append(place)
    return found


SECONDS_OF_SILENCE = 0.3

# Differ from one call to the next, whoever asks.
_CHANGING = re.compile(
    r'"(id|key|cursor|startCursor|endCursor|token|secret|eventId|customerId'
    r'|\w+At|\w+Through|current\w+|period\w+)":"[^"]*"'
)


@pytest.fixture
async def own(api: Api, organization: Organization) -> Tenant:
    return await settled(api, organization, "own")


@pytest.fixture
async def other(other_api: Api, other_organization: Organization) -> Tenant:
    return await settled(other_api, other_organization, "hidden")


def own_id(tenant: Tenant, place: Place) -> Any:
    """Names something of the tenant's own for what a field requires beside the place."""

    def name(path: tuple[str, ...]) -> str:
        word = path[-1].removesuffix("Ids").removesuffix("Id").removesuffix("s")
        types = {"benefit": "MeterCreditBenefit", "id": _type_meant(place)}
        return tenant.ids[types.get(word, word[:1].upper() + word[1:])]

    return name


def _type_meant(place: Place) -> str:
    """The type that the `id` of a field is about: `subscription` is a CustomerSubscription."""
    names = sorted(NODE_TYPES, key=len, reverse=True)
    lowered = place.field.lower()
    return next((name for name in names if lowered.startswith(name.lower())), "Meter")


def shown(answer: dict[str, Any], named: str) -> str:
    """An answer with what was named, and what every answer has anew, taken out."""
    text = exact_json.dumps({"data": answer.get("data"), "errors": answer.get("errors")})
    return _CHANGING.sub(r'"\1":"…"', text.replace(named, "NAMED"))


async def ask(tenant: Tenant, place: Place, value: str) -> dict[str, Any]:
    field = field_of(place)
    given = arguments(field, place, value, own_id(tenant, place))
    variables = {f"v_{name}": item for name, item in given.items()}
    if place.parent not in {"Query", "Mutation"}:
        variables["node"] = tenant.ids[place.parent]
    answer = await tenant.api.ask(operation(place, given, 2), **variables)
    # Whatever is wrong, it is not the request that this test has made.
    assert all("path" in error for error in answer.get("errors", [])), answer
    return answer


def test_every_place_can_be_tried() -> None:
    """Whatever names an id stands at a root or on a Node, where the tests below get to it."""
    assert {place.parent for place in PLACES if place.kind in {"id", "external"}} <= {
        *NODES,
        "Subscription",
    }
    assert len(PLACES) > 40


@pytest.mark.parametrize("group", groups("id"))
async def test_a_foreign_id_is_like_one_that_never_was(
    own: Tenant, other: Tenant, database: BaseDBAsyncClient, group: str
) -> None:
    before = await fingerprint(database, other.organization)
    live = set()
    for place, type_name in product(groups("id")[group], NODE_TYPES):
        foreign, never = other.ids[type_name], encode_id(type_name, new_id())
        answers = [shown(await ask(own, place, named), named) for named in (foreign, never)]
        assert answers[0] == answers[1], (place, type_name)
        assert other.word not in answers[0]
        # The place does something: an id of one's own is answered otherwise.
        mine = own.ids[type_name]
        if shown(await ask(own, place, mine), mine) != answers[1]:
            live.add(place)
    assert live == set(groups("id")[group])
    assert await fingerprint(database, other.organization) == before


@pytest.mark.parametrize("group", groups("external"))
async def test_a_foreign_external_id_is_like_one_that_never_was(
    own: Tenant, other: Tenant, database: BaseDBAsyncClient, group: str
) -> None:
    before = await fingerprint(database, other.organization)
    for place, foreign in product(groups("external")[group], (other.customer, other.event)):
        never = f"never-{foreign}"
        answers = [shown(await ask(own, place, named), named) for named in (foreign, never)]
        assert answers[0] == answers[1], place
    assert await fingerprint(database, other.organization) == before


@pytest.mark.parametrize("group", groups("cursor", "text"))
async def test_a_foreign_cursor_or_text_shows_nothing(
    own: Tenant, other: Tenant, group: str
) -> None:
    for place, named in product(
        groups("cursor", "text")[group],
        (*other.cursors, other.word, other.customer, f"{other.word}-name"),
    ):
        answer = await ask(own, place, named)
        assert other.word not in exact_json.dumps(answer).replace(named, "")
        for foreign in other.ids.values():
            assert foreign not in exact_json.dumps(answer)


async def first_message(application: Starlette, socket: Socket, number: str) -> str:
    """What the only operation sends first, which is then ended.

    `silence` where it follows changes, and none comes.
    """
    feeds = application.state.graphql.services.feeds
    found = None
    async with asyncio.timeout(60):
        while found is None:
            try:
                async with asyncio.timeout(SECONDS_OF_SILENCE):
                    text: str = (await socket.outgoing.get())["text"]
                if exact_json.loads(text)["id"] == number:
                    found = text
            except TimeoutError:
                found = "silence" if feeds.followers else None
        await socket.send({"type": "complete", "id": number})
        while feeds.followers:  # noqa: ASYNC110  # nobody is told
            await asyncio.sleep(0.001)
    return found


@pytest.mark.parametrize("place", [p for p in PLACES if p.parent == "Subscription"], ids=str)
async def test_a_subscription_shows_nothing_of_others(
    application: Starlette, own: Tenant, other: Tenant, place: Place
) -> None:
    never = {
        "id": [encode_id(name, new_id()) for name in NODE_TYPES],
        "external": ["never"],
        "cursor": [],
        "text": ["never"],
    }[place.kind]
    foreign = {
        "id": [other.ids[name] for name in NODE_TYPES],
        "external": [other.customer],
        "cursor": list(other.cursors),
        "text": [f"{other.word}-name"],
    }[place.kind]
    async with connected(application, own.api.secret) as socket:
        answers = []
        for number, named in enumerate([*foreign, *never]):
            field = field_of(place)
            given = arguments(field, place, named, own_id(own, place))
            document = operation(place, given, 1)
            variables = {f"v_{name}": item for name, item in given.items()}
            await socket.subscribe(document, str(number), **variables)
            message = await first_message(application, socket, str(number))
            answers.append(message.replace(named, "NAMED").replace(f'"{number}"', "NUMBER"))
        assert not any(other.word in answer for answer in answers)
        if never:
            assert set(answers[: len(foreign)]) == set(answers[len(foreign) :])


async def test_every_type_with_an_id_is_a_node_of_one_organization(
    own: Tenant, other: Tenant
) -> None:
    assert own.ids.keys() == NODE_TYPES.keys()
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    mine, foreign = list(own.ids.values()), list(other.ids.values())
    assert [node["id"] for node in (await own.api.get(query, ids=mine))["nodes"]] == mine
    assert (await own.api.get(query, ids=foreign))["nodes"] == [None] * len(foreign)
    # The same key under another type's name is nothing either.
    keys = {name: decode_id(value, name) for name, value in own.ids.items()}
    crossed = [
        encode_id(name, key)
        for name in NODE_TYPES
        for of, key in keys.items()
        if key is not None and key != keys[name]
    ]
    for start in range(0, len(crossed), 100):
        found = await own.api.get(query, ids=crossed[start : start + 100])
        assert set(found["nodes"]) == {None}
