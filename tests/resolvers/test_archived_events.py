"""What the API says of archived events."""

from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import catch_up_all, drain
from tests.metering.archives import FEBRUARY, archive, restore
from tests.resolvers.events import event, ingest
from tests.resolvers.token_meter import create_meter

READ = """query ($start: DateTime!, $end: DateTime!, $groupBy: [String!]) {
  meters(first: 1) { nodes { completeFrom
    quantities(start: $start, end: $end, interval: DAY, groupBy: $groupBy) { total }
    topCustomers(start: $start, end: $end) { quantity } } } }"""
QUANTITIES = """query ($start: DateTime!, $end: DateTime!) { meters(first: 1) { nodes {
  quantities(start: $start, end: $end, interval: DAY) { total } } } }"""
TOP = """query ($start: DateTime!, $end: DateTime!) { meters(first: 1) { nodes {
  topCustomers(start: $start, end: $end) { quantity } } } }"""
PREVIEW = """query ($start: DateTime, $end: DateTime) {
  meterPreview(filter: {}, aggregation: {function: COUNT}, start: $start, end: $end) {
    quantity eventsFrom quantities(interval: MONTH) { total } } }"""
BOUNDARY = "2026-02-01T00:00:00Z"


@pytest.fixture
async def archived(
    fresh_database: BaseDBAsyncClient, api: Api, organization: Organization, tmp_path: Path
) -> Path:
    """An event of January is archived, one of February is not."""
    await create_meter(api)
    for month in ("01", "02"):
        timestamp = f"2026-{month}-10T12:03:00Z"
        await ingest(api, event(timestamp=timestamp, externalId=month, metadata={"tokens": 5}))
    await drain(organization.id)
    await catch_up_all(organization.id)
    assert await archive(tmp_path, FEBRUARY) == ["2026-01"]
    return tmp_path


async def boundary(api: Api) -> Any:
    found = await api.get("{ organization { eventsFrom } }")
    return found["organization"]["eventsFrom"]


async def test_the_boundary_is_shown_until_the_events_are_back(
    archived: Path, api: Api, other_api: Api
) -> None:
    assert await boundary(api) == await boundary(other_api) == BOUNDARY
    events = "{ events { nodes { externalId } } }"
    assert await api.get(events) == {"events": {"nodes": [{"externalId": "02"}]}}
    assert await other_api.get(events) == {"events": {"nodes": []}}
    await restore(archived)
    assert await boundary(api) is None
    found = await api.get(events)
    assert [row["externalId"] for row in found["events"]["nodes"]] == ["02", "01"]


async def test_usage_is_read_by_quarter_hours(archived: Path, api: Api) -> None:
    whole = {"start": "2026-01-10T12:00:00Z", "end": "2026-03-01T00:00:00Z"}
    found = await api.get(READ, **whole)
    [meter] = found["meters"]["nodes"]
    assert meter["completeFrom"] is None
    assert (meter["quantities"]["total"], len(meter["topCustomers"])) == ("10", 1)
    inside = {**whole, "start": "2026-01-10T12:01:00Z"}
    for query in (QUANTITIES, TOP):
        assert await api.codes(query, **inside) == ["EVENTS_ARCHIVED"]
        answer = await api.ask(query, **inside)
        assert BOUNDARY in answer["errors"][0]["message"]


async def test_previews_and_new_meters_begin_at_the_boundary(
    archived: Path, api: Api, organization: Organization
) -> None:
    found = (await api.get(PREVIEW))["meterPreview"]
    assert (found["quantity"], found["eventsFrom"]) == ("1", BOUNDARY)
    assert found["quantities"]["total"] == "1"
    assert await api.codes(PREVIEW, start="2026-01-31T23:59:59Z") == ["EVENTS_ARCHIVED"]
    await create_meter(api)
    await catch_up_all(organization.id)
    meters = (await api.get("{ meters { nodes { completeFrom } } }"))["meters"]["nodes"]
    assert [meter["completeFrom"] for meter in meters] == [None, BOUNDARY]


async def test_receipts_name_the_boundary(archived: Path, api: Api) -> None:
    found = await ingest(api, event(timestamp="2026-01-31T23:59:59Z", externalId="late"))
    [receipt] = found["receipts"]
    assert receipt["status"] == "REJECTED"
    assert receipt["error"]["code"] == "EVENTS_ARCHIVED"
    assert BOUNDARY in receipt["error"]["message"]
    again = event(timestamp="2026-01-10T12:03:00Z", externalId="01", metadata={"tokens": 5})
    assert (await ingest(api, again))["receipts"][0]["status"] == "DUPLICATE"
