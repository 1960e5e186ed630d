"""A page costs what it shows, however much there is: also in the table of a single tenant."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.language.parameters import Parameters
from metering.meters import create_meter
from models import Customer, Organization
from schema.loaders.events import EventQuery, events_source
from schema.loaders.keyset import PageRequest, bounds_of
from tests.ingesting import NOON, drain, send, usages

# The planner takes a tenant for a two-hundredth of the table, whoever it is (decision 32): of the
# 3,000 events here one is to it what a page of 100 is of some 100,000.
PAGE = 1


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("asked", ["everything", "customer", "archived meter", "range", "last"])
async def test_a_page_reads_the_events_that_it_shows(
    fresh_database: BaseDBAsyncClient, organization: Organization, asked: str
) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    meter = await create_meter(organization.id, "Meter", None, Filter(), count)
    for batch in range(10):
        stored = [
            {**event, "externalCustomerId": f"c{number % 3}"}
            for number, event in enumerate(usages([batch] * 300))
        ]
        await send(organization.id, *stored)
    await drain(organization.id)
    await fresh_database.execute_script("ANALYZE")
    meter.archived_at, meter.position = NOON, 10
    customer = await Customer.get(organization_id=organization.id, external_id="c1")
    query = {
        "customer": EventQuery(customer_id=customer.id),
        "archived meter": EventQuery(meter=meter),
        "range": EventQuery(start=NOON, end=NOON.replace(year=2027)),
    }.get(asked, EventQuery())
    source = events_source(organization.id, query)
    parameters = Parameters()
    bounds = bounds_of(source.keyset, PageRequest(PAGE, backward=asked == "last"))
    statement = source.page_sql(bounds, PAGE, parameters)

    rows = await fresh_database.execute_query_dict(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters.values
    )

    [plan] = json.loads(rows[0]["QUERY PLAN"])
    read = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(plan["Plan"])
        if node.get("Relation Name") == "event"
    ]
    assert read == [PAGE], plan
