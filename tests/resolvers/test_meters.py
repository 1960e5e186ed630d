"""Meters by query and mutation: created, edited, archived and taken back."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from arq.connections import ArqRedis

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import catch_up_all, drain, send
from tests.resolvers.token_meter import (
    AI_USAGE,
    CLAUSE,
    COUNT,
    CREATE,
    METER,
    TOKENS,
    create_meter,
    equals,
)

SEATS = {"function": "LATEST", "property": "seats", "carriesOver": True}
UPDATE = CREATE.replace("Create", "Update")
ARCHIVE = """mutation ($id: ID!) { meterArchive(input: {id: $id}) {
  meter { archivedAt } userErrors { code message path } } }"""
UNARCHIVE = ARCHIVE.replace("Archive", "Unarchive")


async def update(api: Api, **sent: Any) -> Any:
    return (await api.get(UPDATE, input=sent))["meterUpdate"]


def mistakes(payload: Any) -> list[tuple[str, list[str]]]:
    assert payload["meter"] is None
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


async def test_a_meter_is_created_with_its_whole_filter(api: Api) -> None:
    text = {"clause": {"property": "size", "operator": "GREATER_THAN", "text": "007"}}
    number = {"clause": {"property": "size", "operator": "LESS_THAN", "text": "1.50"}}
    nested = {"conjunction": "OR", "clauses": [text, number]}
    sent = {"clauses": [equals("a", True), {"filter": nested}]}
    made = await create_meter(api, unit="token", filter=sent)
    assert made["userErrors"] == []
    meter = made["meter"]
    assert (meter["name"], meter["unit"], meter["isLocked"]) == ("Tokens", "token", False)
    assert meter["aggregation"] == {**TOKENS, "carriesOver": False}
    assert meter["filter"] == {
        "conjunction": "AND",
        "clauses": [
            {"property": "a", "operator": "EQUALS", "value": True},
            {
                "conjunction": "OR",
                "clauses": [
                    {"property": "size", "operator": "GREATER_THAN", "value": "007"},
                    {"property": "size", "operator": "LESS_THAN", "value": Decimal("1.5")},
                ],
            },
        ],
    }
    query = "query ($id: ID!) { meter(id: $id) {" + METER + "} }" + CLAUSE
    found = await api.get(query, id=meter["id"])
    assert found["meter"] == meter


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"name": ""}, [("INVALID", ["name"])]),
        ({"unit": "x" * 65}, [("LIMIT_EXCEEDED", ["unit"])]),
        ({"aggregation": {"function": "SUM"}}, [("INVALID", ["aggregation", "property"])]),
        (
            {"aggregation": {"function": "COUNT", "property": "a"}},
            [("INVALID", ["aggregation", "property"])],
        ),
        (
            {"aggregation": {**TOKENS, "carriesOver": True}},
            [("INVALID", ["aggregation", "carriesOver"])],
        ),
        ({"aggregation": SEATS, "dimensions": ["plan"]}, [("INVALID", ["dimensions"])]),
        (
            {
                "name": "\0",
                "filter": {
                    "clauses": [
                        {"clause": {"property": "a", "operator": "GREATER_THAN", "value": True}}
                    ]
                },
            },
            [("INVALID", ["name"]), ("INVALID", ["filter", "clauses", "0", "clause", "value"])],
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_path(
    api: Api, sent: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    assert mistakes(await create_meter(api, **sent)) == expected


async def test_a_node_of_a_filter_is_one_thing(api: Api) -> None:
    for node in ({}, {**equals("a", 1), "filter": {}}, {"clause": None}):
        sent = {"name": "x", "filter": {"clauses": [node]}, "aggregation": COUNT}
        assert await api.codes(CREATE, input=sent) == ["BAD_USER_INPUT"]


async def test_a_meter_is_edited_until_it_has_counted(api: Api, organization: Organization) -> None:
    meter = (await create_meter(api))["meter"]
    edited = await update(api, id=meter["id"], filter={}, aggregation=COUNT, unit="event")
    assert edited["meter"]["aggregation"] == {**COUNT, "property": None, "carriesOver": False}
    assert edited["meter"]["filter"] == {"conjunction": "AND", "clauses": []}
    await send(organization.id, {})
    await drain(organization.id)
    assert mistakes(await update(api, id=meter["id"], filter=AI_USAGE)) == [
        ("METER_LOCKED", ["filter"])
    ]
    assert mistakes(await update(api, id=meter["id"], aggregation=TOKENS)) == [
        ("METER_LOCKED", ["aggregation"])
    ]
    renamed = (await update(api, id=meter["id"], name="Calls", unit=None))["meter"]
    assert (renamed["name"], renamed["unit"], renamed["isLocked"]) == ("Calls", None, True)
    same = await update(api, id=meter["id"], filter={}, aggregation=COUNT)
    assert same["userErrors"] == []
    assert same["meter"]["unit"] is None


async def test_whether_a_meter_carries_over_can_change_until_it_has_counted(
    api: Api, organization: Organization
) -> None:
    meter = (await create_meter(api, aggregation=SEATS))["meter"]
    assert meter["aggregation"] == SEATS
    plain = {"function": "LATEST", "property": "seats"}
    edited = (await update(api, id=meter["id"], aggregation=plain))["meter"]
    assert edited["aggregation"] == {**SEATS, "carriesOver": False}
    assert (await update(api, id=meter["id"], dimensions=["plan"]))["userErrors"] == []
    assert mistakes(await update(api, id=meter["id"], aggregation=SEATS)) == [
        ("INVALID", ["dimensions"])
    ]
    edited = (await update(api, id=meter["id"], aggregation=SEATS, dimensions=[]))["meter"]
    assert edited["aggregation"] == SEATS
    await send(organization.id, {"metadata": {"seats": 3}})
    await drain(organization.id)
    await catch_up_all(organization.id)
    assert mistakes(await update(api, id=meter["id"], aggregation=plain)) == [
        ("METER_LOCKED", ["aggregation"])
    ]


async def test_a_meter_is_archived_and_taken_back(api: Api, organization: Organization) -> None:
    meter = (await create_meter(api, aggregation=COUNT))["meter"]
    archived = (await api.get(ARCHIVE, id=meter["id"]))["meterArchive"]
    assert archived["meter"]["archivedAt"] is not None
    assert (await api.get("{ meters { totalCount } }"))["meters"]["totalCount"] == 0
    listed = await api.get("{ meters(includeArchived: true) { nodes { id } } }")
    assert listed["meters"]["nodes"] == [{"id": meter["id"]}]
    await send(organization.id, {}, {})
    await drain(organization.id)
    back = (await api.get(UNARCHIVE, id=meter["id"]))["meterUnarchive"]
    assert back == {"meter": {"archivedAt": None}, "userErrors": []}
    await catch_up_all(organization.id)
    progress = "query ($id: ID!) { meter(id: $id) { progress { countedEvents pendingEvents } } }"
    found = await api.get(progress, id=meter["id"])
    assert found["meter"]["progress"] == {"countedEvents": 2, "pendingEvents": 0}


async def test_an_unknown_meter_is_not_found(api: Api) -> None:
    for mutation in (ARCHIVE, UNARCHIVE):
        (payload,) = (await api.get(mutation, id="nonsense")).values()
        assert mistakes(payload) == [("NOT_FOUND", ["id"])]
    assert mistakes(await update(api, id="nonsense", name="Mine")) == [("NOT_FOUND", ["id"])]


async def test_creating_a_meter_wakes_a_worker(api: Api, redis: ArqRedis) -> None:
    await create_meter(api)
    async with asyncio.timeout(60):
        while not await redis.keys("*catch_up_meters*"):
            pass
