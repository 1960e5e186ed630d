"""What one organization names of another's is answered as if it did not exist.

Each place of the schema where something is named is tried with an id of every type.
"""

from itertools import product

import pytest
from starlette.applications import Starlette
from tortoise.backends.base.client import BaseDBAsyncClient

from models import exact_json
from models.identifiers import new_id
from resolvers.queries.nodes import NODE_TYPES
from schema.ids import decode_id, encode_id
from tests.tenancy.asking import NODES, ask, first_message, request, shown
from tests.tenancy.places import Place, places
from tests.tenancy.world import Tenant, fingerprint
from tests.websocket_client import connected

PLACES = places()
# A price that is only tried names a meter, but none is read.
_UNREAD = {"Query.priceExamples(price.meterId)"}


def groups(*kinds: str) -> dict[str, list[Place]]:
    """Places that can share their tenants: those that only read, and texts of what is created."""
    found: dict[str, list[Place]] = {}
    for place in PLACES:
        if place.kind in kinds and place.parent in NODES:
            name = str(place) if place.parent == "Mutation" else place.parent
            if "text" in kinds and place.field.endswith("Create"):
                name = f"Mutation.{place.field}"
            found.setdefault(name, []).append(place)
    return found


def test_every_place_can_be_tried() -> None:
    """Whatever names an id stands at a root or on a Node, where the tests below get to it."""
    assert {place.parent for place in PLACES if place.kind in {"id", "external"}} <= {
        *NODES,
        "Subscription",
    }
    assert len(PLACES) > 40


@pytest.mark.parametrize("group", groups("id"))
async def test_a_foreign_id_is_answered_like_an_unknown_one(
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
    assert live == {place for place in groups("id")[group] if str(place) not in _UNREAD}
    assert await fingerprint(database, other.organization) == before


@pytest.mark.parametrize("group", groups("external"))
async def test_a_foreign_external_id_is_answered_like_an_unknown_one(
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


@pytest.mark.parametrize("place", [p for p in PLACES if p.parent == "Subscription"], ids=str)
async def test_a_subscription_shows_nothing_of_others(
    application: Starlette, own: Tenant, other: Tenant, place: Place
) -> None:
    never = {
        "id": [str(encode_id(name, new_id())) for name in NODE_TYPES],
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
        for place_in_order, named in enumerate([*foreign, *never]):
            number = f"operation {place_in_order}"  # unlike anything in an answer
            document, variables = request(own, place, named, 1)
            await socket.subscribe(document, number, **variables)
            message = await first_message(application, socket, number)
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
