"""Who uses a meter most, a customer's usage of all meters, and charts of previews."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from metering.counting import progress
from models import Customer, Organization
from schema.context import Scope
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import NOON, catch_up_all, drain, send
from tests.resolvers.token_meter import AI_USAGE, TOKENS, create_meter
from tests.serving import new_token
from tests.statements import counted

TOP = """query ($id: ID!, $start: DateTime!, $end: DateTime!, $first: Int) { meter(id: $id) {
  topCustomers(start: $start, end: $end, first: $first) { customer { externalId } quantity } } }"""
SERIES = """query ($who: String, $start: DateTime!, $end: DateTime!, $interval: Interval!,
  $zone: String, $meters: [ID!]) { customer(externalId: $who) {
  quantities(start: $start, end: $end, interval: $interval, timezone: $zone, meterIds: $meters) {
    meter { name } quantities { total completeThrough points { start end quantity } } } } }"""
CHART = """query ($filter: MeterFilterInput!, $aggregation: MeterAggregationInput!,
  $start: DateTime, $end: DateTime, $interval: Interval!, $zone: String) {
  meterPreview(filter: $filter, aggregation: $aggregation, start: $start, end: $end) {
    quantity completeThrough
    quantities(interval: $interval, timezone: $zone) {
      total completeThrough points { start end quantity } } } }"""
EVER = {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T00:00:00Z"}
TWO_DAYS = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"}


async def used(organization: Organization, *usages: tuple[str, Any]) -> None:
    await send(
        organization.id,
        *(
            {
                "externalCustomerId": who,
                "metadata": {"tokens": tokens},
                "timestamp": NOON + timedelta(hours=number),
            }
            for number, (who, tokens) in enumerate(usages)
        ),
    )
    await drain(organization.id)


async def test_the_top_customers_come_first(
    api: Api, organization: Organization, other_api: Api
) -> None:
    meter = (await create_meter(api))["meter"]["id"]
    await used(organization, ("a", 3), ("b", "2.5"), ("c", 1), ("b", 1), ("d", "nothing"))
    found = await api.get(TOP, id=meter, first=2, **EVER)
    assert found["meter"]["topCustomers"] == [
        {"customer": {"externalId": "b"}, "quantity": "3.5"},
        {"customer": {"externalId": "a"}, "quantity": "3"},
    ]
    found = await api.get(TOP, id=meter, **{**EVER, "end": (NOON + timedelta(hours=2)).isoformat()})
    assert [one["quantity"] for one in found["meter"]["topCustomers"]] == ["3", "2.5"]
    assert await other_api.get(TOP, id=meter, **EVER) == {"meter": None}


@pytest.mark.parametrize("changed", [{"first": 0}, {"first": 101}, {"end": "0001-01-01T00:00:00Z"}])
async def test_an_impossible_top_is_refused(api: Api, changed: dict[str, Any]) -> None:
    meter = (await create_meter(api))["meter"]["id"]
    asked = {**EVER, "start": "2026-01-01T00:00:00Z", **changed}
    assert await api.codes(TOP, id=meter, **asked) == ["BAD_USER_INPUT"]


async def test_the_top_needs_the_scope_that_reads_usage(
    api: Api, organization: Organization
) -> None:
    meter = (await create_meter(api))["meter"]["id"]
    billing = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    assert await billing.codes(TOP, id=meter, **EVER) == ["FORBIDDEN"]


async def test_a_customer_s_series_are_read_by_one_statement(
    api: Api, organization: Organization
) -> None:
    for name in ("A", "B", "Unused"):
        filter_ = {"filter": AI_USAGE} if name != "Unused" else {"filter": of_name("nothing")}
        await create_meter(api, name=name, **filter_)
    await used(organization, ("a", 3), ("b", 100), ("a", 4))
    with counted() as statements:
        found = await api.get(SERIES, who="a", interval="DAY", **TWO_DAYS)
    assert sum("usage_bucket" in statement for statement in statements) == 1
    series = found["customer"]["quantities"]
    assert [(one["meter"]["name"], one["quantities"]["total"]) for one in series] == [
        ("A", "7"),
        ("B", "7"),
    ]
    assert [point["quantity"] for point in series[0]["quantities"]["points"]] == ["7", "0"]
    assert series[0]["quantities"]["completeThrough"] > "2026"


async def test_series_are_limited_to_meters(
    api: Api, organization: Organization, other_api: Api
) -> None:
    ids = [(await create_meter(api, name=name))["meter"]["id"] for name in ("A", "B")]
    foreign = (await create_meter(other_api))["meter"]["id"]
    await used(organization, ("a", 3))
    for meters, names in (
        ([ids[1], foreign, "x", "\0"], ["B"]),
        ([], []),
        ([encode_id("Customer", organization.id)], []),
        (None, ["A", "B"]),
    ):
        found = await api.get(SERIES, who="a", interval="DAY", meters=meters, **TWO_DAYS)
        assert [one["meter"]["name"] for one in found["customer"]["quantities"]] == names


async def test_a_session_sees_its_own_series(api: Api, organization: Organization) -> None:
    await create_meter(api)
    await used(organization, ("a", 3), ("b", 5))
    session = await api.session("a")
    query = SERIES.replace("customer(externalId: $who)", "viewer").replace("$who: String, ", "")
    found = await session.get(query, interval="DAY", **TWO_DAYS)
    assert [one["quantities"]["total"] for one in found["viewer"]["quantities"]] == ["3"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"zone": "Mars/Olympus"}, "BAD_USER_INPUT"),
        ({"end": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        ({"end": "2026-10-01T00:00:00Z", "interval": "HOUR"}, "TOO_COMPLEX"),
        (EVER, "TOO_COMPLEX"),
    ],
)
async def test_impossible_series_are_refused(
    api: Api, organization: Organization, changed: dict[str, Any], code: str
) -> None:
    await create_meter(api)
    await used(organization, ("a", 1))
    asked = {"who": "a", "interval": "DAY", **TWO_DAYS, **changed}
    assert await api.codes(SERIES, **asked) == [code]


async def test_more_points_than_a_series_may_have_are_refused_of_all_together(
    api: Api, organization: Organization
) -> None:
    ids = [(await create_meter(api, name=name))["meter"]["id"] for name in ("A", "B")]
    await used(organization, ("a", 1))
    query = """query ($ids: [ID!]) { customer(externalId: "a") {
      quantities(start: "2026-01-01T00:00:00Z", end: "2026-08-01T00:00:00Z", interval: HOUR,
                 meterIds: $ids) { quantities { total } } } }"""
    assert await api.codes(query, ids=ids) == ["BAD_USER_INPUT"]
    assert await api.codes(query, ids=ids[:1]) == []


def of_name(name: str) -> dict[str, Any]:
    return {"clauses": [{"clause": {"property": "name", "operator": "EQUALS", "value": name}}]}


FUNCTIONS = ["COUNT", "SUM", "AVERAGE", "MINIMUM", "MAXIMUM", "UNIQUE", "LATEST", "TIME_WEIGHTED"]


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_the_chart_of_a_preview_is_that_of_the_meter(
    api: Api, organization: Organization, function: str
) -> None:
    aggregation = {"function": function, "property": None if function == "COUNT" else "tokens"}
    tokens = [3, "3.0", 1, None, "x", 5, 4, 4, 2, 3]
    await used(organization, *(("a", value) for value in tokens))
    asked = {"filter": AI_USAGE, "aggregation": aggregation, "interval": "HOUR"}
    bounds = {"start": "2026-03-01T11:30:00Z", "end": "2026-03-01T22:10:00Z"}
    preview = (await api.get(CHART, **asked, **bounds))["meterPreview"]
    meter = (await create_meter(api, aggregation=aggregation))["meter"]["id"]
    await drain(organization.id)
    await catch_up_all(organization.id)
    query = """query ($id: ID!, $start: DateTime!, $end: DateTime!) { meter(id: $id) {
      quantities(start: $start, end: $end, interval: HOUR) {
        total points { start end quantity } } } }"""
    of_meter = (await api.get(query, id=meter, **bounds))["meter"]["quantities"]
    through = preview["quantities"].pop("completeThrough")
    assert preview["quantities"] == of_meter
    assert datetime.fromisoformat(through) <= datetime.now(UTC)
    assert preview["quantity"] == of_meter["total"]
    # Without bounds, it is drawn from the first matching event through the last.
    unbounded = (await api.get(CHART, **asked))["meterPreview"]["quantities"]
    if function != "TIME_WEIGHTED":  # which grows until the end of the range
        assert unbounded["total"] == of_meter["total"]
    assert unbounded["points"][0]["start"] == "2026-03-01T12:00:00Z"
    assert unbounded["points"][-1]["end"] == "2026-03-01T21:00:00.000001Z"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"zone": "Mars/Olympus"}, "BAD_USER_INPUT"),
        ({"start": "2026-03-02T00:00:00Z", "end": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        (EVER, "BAD_USER_INPUT"),
    ],
)
async def test_an_impossible_chart_is_refused(
    api: Api, organization: Organization, changed: dict[str, Any], code: str
) -> None:
    await used(organization, ("a", 1))
    asked = {"filter": AI_USAGE, "aggregation": TOKENS, "interval": "HOUR", **changed}
    assert await api.codes(CHART, **asked) == [code]


async def test_a_chart_of_nothing_has_no_points(api: Api) -> None:
    asked = {"filter": of_name("nothing"), "aggregation": TOKENS, "interval": "DAY"}
    found = (await api.get(CHART, **asked))["meterPreview"]["quantities"]
    assert (found["points"], found["total"]) == ([], "0")


THROUGH = """{ customer(externalId: "a") { id meters(first: 1) { nodes {
  id consumedUnits completeThrough } } } }"""


async def test_usage_is_complete_through_what_it_has_counted(
    api: Api, organization: Organization
) -> None:
    """What is stored but pending lies behind completeThrough; once it is counted, before it."""
    await create_meter(api)
    await used(organization, ("a", 3))
    first = (await api.get(THROUGH))["customer"]["meters"]["nodes"][0]
    await send(organization.id, {"externalCustomerId": "a", "metadata": {"tokens": 4}})
    stored = datetime.now(UTC)
    waiting = (await api.get(THROUGH))["customer"]["meters"]["nodes"][0]
    assert (first["consumedUnits"], waiting["consumedUnits"]) == ("3", "3")
    assert datetime.fromisoformat(waiting["completeThrough"]) < stored
    await drain(organization.id)
    node = "query ($id: ID!) { node(id: $id) { ... on CustomerMeter { completeThrough } } }"
    counted_ = (await api.get(node, id=first["id"]))["node"]
    assert datetime.fromisoformat(counted_["completeThrough"]) >= stored


async def test_events_counted_after_the_row_was_read_are_not_claimed(
    api: Api, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the row and its completeThrough, an event comes and is counted."""
    await create_meter(api)
    await used(organization, ("a", 3))
    asked = progress.oldest_in_flight
    received: list[datetime] = []

    async def counted_meanwhile() -> datetime:
        if not received:
            received.append(datetime.now(UTC))
            await used(organization, ("a", 4))
        return await asked()

    monkeypatch.setattr(progress, "oldest_in_flight", counted_meanwhile)
    found = (await api.get(THROUGH))["customer"]["meters"]["nodes"][0]
    assert found["consumedUnits"] == "3"
    through = datetime.fromisoformat(found["completeThrough"])
    assert through <= received[0] + timedelta(seconds=1)
    later = (await api.get(THROUGH))["customer"]["meters"]["nodes"][0]
    assert Decimal(later["consumedUnits"]) == 7
    assert datetime.fromisoformat(later["completeThrough"]) > through
    assert await Customer.filter(organization_id=organization.id).count() == 1
