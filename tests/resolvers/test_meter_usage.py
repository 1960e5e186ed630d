"""Usage of meters by query: over time, previewed, by customer, and recomputed."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from metering.counting import progress
from models import CustomerMeter, Organization
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import NOON, drain, send
from tests.resolvers.token_meter import AI_USAGE, TOKENS, create_meter
from tests.statements import counted

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
    meter = (await create_meter(api))["meter"]
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


async def test_what_carries_over_is_there_without_events(
    api: Api, organization: Organization, other_organization: Organization
) -> None:
    seats = {"function": "MAXIMUM", "property": "seats", "carriesOver": True}
    meter = (await create_meter(api, aggregation=seats))["meter"]
    # The customers of another organization have more.
    await send(other_organization.id, {"metadata": {"seats": 99}})
    await send(
        organization.id,
        {"metadata": {"seats": 5}},
        {"metadata": {"seats": 4}, "externalCustomerId": "c2"},
        {"metadata": {"seats": 2}, "timestamp": NOON.replace(day=3)},
    )
    for tenant in (organization, other_organization):
        await drain(tenant.id)
    asked = {
        "id": meter["id"],
        "start": "2026-03-02T00:00:00Z",
        "end": "2026-03-05T00:00:00Z",
        "interval": "DAY",
        "zone": "UTC",
    }

    async def by_day(**more: str) -> list[str]:
        found = (await api.get(SERIES, **asked, **more))["meter"]["quantities"]
        return [found["total"], *(point["quantity"] for point in found["points"])]

    assert await by_day() == ["5", "5", "5", "4"]
    assert await by_day(who="c1") == ["5", "5", "5", "2"]
    assert await by_day(who="c2") == ["4", "4", "4", "4"]
    query = """query ($id: ID!) { meter(id: $id) {
      topCustomers(start: "2026-03-04T00:00:00Z", end: "2026-03-05T00:00:00Z") {
        customer { externalId } quantity } } }"""
    top = (await api.get(query, id=meter["id"]))["meter"]["topCustomers"]
    assert [(one["customer"]["externalId"], one["quantity"]) for one in top] == [
        ("c2", "4"),
        ("c1", "2"),
    ]
    preview = """query ($aggregation: MeterAggregationInput!) {
      meterPreview(filter: {}, aggregation: $aggregation, start: "2026-03-04T00:00:00Z",
                   end: "2026-03-05T00:00:00Z") {
        matchedEvents quantity quantities(interval: DAY) { points { quantity } } } }"""
    found = (await api.get(preview, aggregation=seats))["meterPreview"]
    assert found == {
        "matchedEvents": 0,
        "quantity": "4",
        "quantities": {"points": [{"quantity": "4"}]},
    }


async def test_progress_is_of_one_instant_while_events_are_counted(
    api: Api, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_meter(api)
    asked = progress.oldest_in_flight

    async def counted_meanwhile() -> datetime:
        """Two events come and are counted, after the list of meters was read."""
        in_flight = await asked()
        await send(organization.id, {"metadata": {"tokens": 1}}, {"metadata": {}})
        await drain(organization.id)
        return in_flight

    monkeypatch.setattr(progress, "oldest_in_flight", counted_meanwhile)
    query = "{ meters { nodes { progress { countedEvents skippedEvents pendingEvents } } } }"
    (meter,) = (await api.get(query))["meters"]["nodes"]
    assert meter["progress"] == {"countedEvents": 1, "skippedEvents": 1, "pendingEvents": 0}


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
        "id": (await create_meter(api))["meter"]["id"],
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
    [missing] = (await api.ask(PREVIEW, **asked, who="nobody"))["errors"]
    assert missing["extensions"]["code"] == "NOT_FOUND"
    assert await api.codes(PREVIEW, **{**asked, "aggregation": {"function": "SUM"}}) == [
        "BAD_USER_INPUT"
    ]


async def test_a_preview_of_nothing_reads_the_events_once(
    api: Api, organization: Organization
) -> None:
    await send(organization.id, {"metadata": {"tokens": 1}})
    asked = {"filter": AI_USAGE, "aggregation": TOKENS, "start": "2026-03-02T00:00:00Z"}
    with counted() as statements:
        found = (await api.get(PREVIEW, **asked))["meterPreview"]
    assert found == {
        "matchedEvents": 0,
        "skippedEvents": 0,
        "quantity": "0",
        "events": {"nodes": [], "totalCount": 0},
    }
    assert len([statement for statement in statements if "FROM event e" in statement]) == 1


async def test_usage_is_read_from_both_sides(api: Api, organization: Organization) -> None:
    meter = (await create_meter(api))["meter"]
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


async def test_recomputing_finds_and_repairs_drift(
    api: Api, other_api: Api, organization: Organization
) -> None:
    await create_meter(api)
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
