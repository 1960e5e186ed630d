"""Meters, by query and mutation."""

from decimal import Decimal
from typing import Any

import pytest
from arq.connections import ArqRedis

from models import CustomerMeter, Organization
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import NOON, catch_up_all, drain, send

METER = """
  id name unit isLocked archivedAt
  filter { conjunction clauses { ...Clause
    ... on MeterFilter { conjunction clauses { ...Clause } } } }
  aggregation { function property }
"""
CLAUSE = " fragment Clause on MeterClause { property operator value }"
ERRORS = "userErrors { code message path }"
CREATE = (
    "mutation ($input: MeterCreateInput!) { meterCreate(input: $input) { meter {"
    + METER
    + "} "
    + ERRORS
    + "} }"
    + CLAUSE
)
UPDATE = CREATE.replace("Create", "Update")
ARCHIVE = """mutation ($id: ID!) { meterArchive(input: {id: $id}) {
  meter { archivedAt } userErrors { code message path } } }"""
UNARCHIVE = ARCHIVE.replace("Archive", "Unarchive")
COUNT = {"function": "COUNT"}
TOKENS = {"function": "SUM", "property": "tokens"}


def equals(property_: str, value: Any) -> dict[str, Any]:
    return {"clause": {"property": property_, "operator": "EQUALS", "value": value}}


AI_USAGE = {"clauses": [equals("name", "ai_usage")]}


async def create(api: Api, **sent: Any) -> Any:
    usual = {"name": "Tokens", "filter": AI_USAGE, "aggregation": TOKENS}
    return (await api.get(CREATE, input={**usual, **sent}))["meterCreate"]


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
    made = await create(api, unit="token", filter=sent)
    assert made["userErrors"] == []
    meter = made["meter"]
    assert (meter["name"], meter["unit"], meter["isLocked"]) == ("Tokens", "token", False)
    assert meter["aggregation"] == TOKENS
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
        ({"unit": "x" * 65}, [("INVALID", ["unit"])]),
        ({"aggregation": {"function": "SUM"}}, [("INVALID", ["aggregation", "property"])]),
        (
            {"aggregation": {"function": "COUNT", "property": "a"}},
            [("INVALID", ["aggregation", "property"])],
        ),
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
    assert mistakes(await create(api, **sent)) == expected


async def test_a_node_of_a_filter_is_one_thing(api: Api) -> None:
    for node in ({}, {**equals("a", 1), "filter": {}}, {"clause": None}):
        sent = {"name": "x", "filter": {"clauses": [node]}, "aggregation": COUNT}
        assert await api.codes(CREATE, input=sent) == ["BAD_USER_INPUT"]


async def test_a_meter_is_edited_until_it_has_counted(api: Api, organization: Organization) -> None:
    meter = (await create(api))["meter"]
    edited = await update(api, id=meter["id"], filter={}, aggregation=COUNT, unit="event")
    assert edited["meter"]["aggregation"] == {"function": "COUNT", "property": None}
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


async def test_a_meter_is_archived_and_taken_back(api: Api, organization: Organization) -> None:
    meter = (await create(api, aggregation=COUNT))["meter"]
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


async def test_foreign_meters_are_like_missing_ones(api: Api, other_api: Api) -> None:
    foreign = (await create(other_api))["meter"]["id"]
    query = "query ($id: ID!) { meter(id: $id) { id } node(id: $id) { id }"
    query += " nodes(ids: [$id]) { id } }"
    assert await api.get(query, id=foreign) == {"meter": None, "node": None, "nodes": [None]}
    for mutation, name in ((ARCHIVE, "meterArchive"), (UNARCHIVE, "meterUnarchive")):
        refused = (await api.get(mutation, id=foreign))[name]
        assert refused == (await api.get(mutation, id="nonsense"))[name]
        assert mistakes(refused) == [("NOT_FOUND", ["id"])]
    assert mistakes(await update(api, id=foreign, name="Mine")) == [("NOT_FOUND", ["id"])]
    assert (await other_api.get("{ meters { nodes { name } } }"))["meters"]["nodes"] == [
        {"name": "Tokens"}
    ]


async def test_creating_a_meter_wakes_a_worker(api: Api, redis: ArqRedis) -> None:
    await create(api)
    keys: list[bytes] = []
    for _ in range(1000):
        keys = await redis.keys("*catch_up_meters*")
        if keys:
            break
    assert keys


SERIES = """
query ($id: ID!, $start: DateTime!, $end: DateTime!, $interval: Interval!, $zone: String!,
       $who: String) {
  meter(id: $id) {
    quantities(start: $start, end: $end, interval: $interval, timezone: $zone,
               externalCustomerId: $who) {
      total points { start end quantity } completeThrough
    }
  }
}
"""


async def test_usage_over_time_fills_the_gaps(api: Api, organization: Organization) -> None:
    meter = (await create(api))["meter"]
    await send(
        organization.id,
        {"metadata": {"tokens": "0.5"}},
        {"metadata": {"tokens": 2}, "externalCustomerId": "c2"},
        {"metadata": {"tokens": 4}, "timestamp": NOON.replace(day=3)},
    )
    await drain(organization.id)
    asked = {
        "id": meter["id"],
        "start": "2026-03-01T00:00:00Z",
        "end": "2026-03-03T12:00:00.000001Z",
        "interval": "DAY",
        "zone": "UTC",
    }
    found = (await api.get(SERIES, **asked))["meter"]["quantities"]
    assert found["total"] == "6.5"
    assert [(p["start"], p["end"], p["quantity"]) for p in found["points"]] == [
        ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2.5"),
        ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "0"),
        ("2026-03-03T00:00:00Z", "2026-03-03T12:00:00.000001Z", "4"),
    ]
    assert found["completeThrough"] > "2026"
    own = (await api.get(SERIES, **asked, who="c2"))["meter"]["quantities"]
    assert own["total"] == "2"
    berlin = (await api.get(SERIES, **{**asked, "zone": "Europe/Berlin"}))["meter"]["quantities"]
    assert berlin["points"][1]["start"] == "2026-03-01T23:00:00Z"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"zone": "Mars/Olympus"}, "BAD_USER_INPUT"),
        ({"zone": "../etc/passwd"}, "BAD_USER_INPUT"),
        ({"end": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        ({"end": "2030-01-01T00:00:00Z", "interval": "HOUR"}, "TOO_COMPLEX"),
        ({"end": "2027-03-01T00:00:00Z", "interval": "HOUR"}, "TOO_COMPLEX"),
        ({"who": "nobody"}, "NOT_FOUND"),
    ],
)
async def test_an_impossible_series_is_refused(
    api: Api, changed: dict[str, Any], code: str
) -> None:
    asked = {
        "id": (await create(api))["meter"]["id"],
        "start": "2026-03-01T00:00:00Z",
        "end": "2026-03-02T00:00:00Z",
        "interval": "DAY",
        "zone": "UTC",
    }
    assert await api.codes(SERIES, **{**asked, **changed}) == [code]


PREVIEW = """
query ($filter: MeterFilterInput!, $aggregation: MeterAggregationInput!, $start: DateTime,
       $who: String) {
  meterPreview(filter: $filter, aggregation: $aggregation, start: $start,
               externalCustomerId: $who) {
    matchedEvents skippedEvents quantity events(first: 1) { nodes { metadata } totalCount }
  }
}
"""


async def test_a_preview_says_what_a_meter_would_count(
    api: Api, organization: Organization
) -> None:
    await send(
        organization.id,
        {"metadata": {"tokens": 1}},
        {"metadata": {"tokens": "x"}, "timestamp": NOON.replace(hour=13)},
        {"metadata": {"tokens": 3}, "timestamp": NOON.replace(hour=14), "externalCustomerId": "c2"},
        {"name": "other"},
    )
    asked = {"filter": AI_USAGE, "aggregation": TOKENS}
    found = (await api.get(PREVIEW, **asked))["meterPreview"]
    assert found == {
        "matchedEvents": 3,
        "skippedEvents": 1,
        "quantity": "4",
        "events": {"nodes": [{"metadata": {"tokens": 3}}], "totalCount": 3},
    }
    later = (await api.get(PREVIEW, **asked, start="2026-03-01T14:00:00Z"))["meterPreview"]
    assert (later["matchedEvents"], later["quantity"]) == (1, "3")
    own = (await api.get(PREVIEW, **asked, who="c1"))["meterPreview"]
    assert (own["matchedEvents"], own["events"]["totalCount"]) == (2, 2)
    assert await api.codes(PREVIEW, **asked, who="nobody") == ["NOT_FOUND"]
    assert await api.codes(PREVIEW, **{**asked, "aggregation": {"function": "SUM"}}) == [
        "BAD_USER_INPUT"
    ]


async def test_usage_is_read_from_both_sides(api: Api, organization: Organization) -> None:
    meter = (await create(api))["meter"]
    await send(
        organization.id,
        {"metadata": {"tokens": "12.50"}},
        {"metadata": {"tokens": 1}, "externalCustomerId": "c2"},
    )
    await drain(organization.id)
    usage = "consumedUnits creditedUnits balance periodStart meter { name } customer { externalId }"
    found = await api.get(
        'query ($id: ID!) { customer(externalId: "c1") { meter(id: $id) { id ...Usage }'
        ' none: meter(id: "nonsense") { id } meters { totalCount nodes { id } } }'
        " meter(id: $id) { customers { totalCount nodes { ...Usage } } } }"
        " fragment Usage on CustomerMeter {" + usage + "}",
        id=meter["id"],
    )
    own = found["customer"]["meter"]
    assert own["consumedUnits"] == "12.5"
    assert own["balance"] == "-12.5"
    assert own["creditedUnits"] == "0"
    assert own["periodStart"] is None
    assert own["meter"] == {"name": "Tokens"}
    assert found["customer"]["none"] is None
    assert found["customer"]["meters"] == {"totalCount": 1, "nodes": [{"id": own["id"]}]}
    customers = found["meter"]["customers"]
    assert customers["totalCount"] == 2
    assert {node["customer"]["externalId"] for node in customers["nodes"]} == {"c1", "c2"}
    node = await api.get("query ($id: ID!) { node(id: $id) { __typename } }", id=own["id"])
    assert node == {"node": {"__typename": "CustomerMeter"}}


RECOMPUTE = """mutation ($id: ID!) { customerMeterRecompute(input: {customerMeterId: $id}) {
  customerMeter { consumedUnits } drift userErrors { code path } } }"""


async def test_recomputing_finds_and_repairs_what_is_off(
    api: Api, other_api: Api, organization: Organization
) -> None:
    await create(api)
    await send(organization.id, {"metadata": {"tokens": "2.5"}}, {"metadata": {"tokens": 1}})
    await drain(organization.id)
    row = await CustomerMeter.get(organization_id=organization.id)
    row_id = encode_id("CustomerMeter", row.id)
    fine = {"customerMeter": {"consumedUnits": "3.5"}, "drift": "0", "userErrors": []}
    assert (await api.get(RECOMPUTE, id=row_id))["customerMeterRecompute"] == fine
    await CustomerMeter.filter(id=row.id).update(sum=Decimal(9), consumed=Decimal(9))
    found = (await api.get(RECOMPUTE, id=row_id))["customerMeterRecompute"]
    assert found == {**fine, "drift": "-5.5"}
    assert (await api.get(RECOMPUTE, id=row_id))["customerMeterRecompute"] == fine
    missing = (await api.get(RECOMPUTE, id="nonsense"))["customerMeterRecompute"]
    assert missing["userErrors"] == [{"code": "NOT_FOUND", "path": ["customerMeterId"]}]
    assert (await other_api.get(RECOMPUTE, id=row_id))["customerMeterRecompute"] == missing
