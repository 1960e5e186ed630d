"""No list makes a statement a row: the more objects, the same number of statements."""

import asyncio
import json
from typing import Any

import pytest

from config.settings import Settings
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from models import Organization
from tests.graphql_client import Api
from tests.ingesting import drain, send
from tests.serving import new_token, served
from tests.statements import counted
from tests.websocket_client import connected_to, subscribe

QUERIES = {
    "events with their customers and meters": """
        { events { totalCount nodes { customer { name } meters { name } } } }""",
    "customers with their events": """
        { customers(first: 20) { nodes { events(first: 2) { totalCount nodes { name } } } } }""",
    "customers with their usage": """
        { customers { nodes { meters { totalCount nodes { balance meter { name unit } } } } } }""",
    "customers with their billing": """
        { customers { nodes { subscriptions { totalCount nodes { id } }
          invoices { nodes { id } } } } }""",
    "meters with their customers": """
        { meters { nodes { customers { totalCount nodes { balance customer { name } } } } } }""",
    "meters with their usage over time": """
        { meters { nodes { quantities(
            start: "2026-01-01T00:00:00Z", end: "2026-03-01T00:07:00Z", interval: MONTH
        ) { total points { quantity } completeThrough } } } }""",
    "meters with their progress": "{ meters { nodes { progress { countedEvents } } } }",
    "meters with their events": """
        { meters(first: 20) { nodes { events(first: 3) {
            totalCount nodes { customer { name } } } } } }""",
}


async def grow(organization: Organization, number: int) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    for index in range(number):
        await create_meter(organization.id, f"meter {index}", None, Filter(), count)
    await send(organization.id, *[{"externalCustomerId": f"c{index}"} for index in range(number)])
    await drain(organization.id)


@pytest.mark.parametrize("asked", QUERIES)
async def test_the_number_of_statements_does_not_grow_with_objects(
    api: Api, organization: Organization, asked: str
) -> None:
    await grow(organization, 1)
    await api.get(QUERIES[asked])  # notes when the token was last used
    with counted() as few:
        await api.get(QUERIES[asked])
    await grow(organization, 9)
    with counted() as many:
        await api.get(QUERIES[asked])
    assert len(many) == len(few), many


async def test_totals_are_counted_only_if_selected(api: Api) -> None:
    await api.get("{ customers { nodes { id } } }")
    with counted() as statements:
        await api.get("{ customers { nodes { id } } }")
    assert not [statement for statement in statements if "count(" in statement]


async def test_complete_through_is_queried_only_if_selected(
    api: Api, organization: Organization
) -> None:
    await grow(organization, 2)
    series = """{ meters { nodes { quantities(
        start: "2026-01-01T00:00:00Z", end: "2026-02-01T00:00:00Z", interval: DAY
    ) { ...Series } } } } fragment Series on MeterQuantities { total %s }"""
    await api.get(series % "")
    with counted() as without:
        await api.get(series % "")
    with counted() as asked:
        await api.get(series % "completeThrough")
    assert not [statement for statement in without if "pg_locks" in statement]
    assert [statement for statement in asked if "pg_locks" in statement]
    # The token, the page of meters, and their usage.
    assert len(without) == 3, without


_SNAPSHOT = """
subscription {
  usageUpdated { customerMeter { consumedUnits meter { name } ...Whose } }
}
fragment Whose on CustomerMeter { ... { customer { externalId } } }
"""


async def updates(url: str, token: str, count: int) -> list[Any]:
    """The first updates of a new subscriber."""
    async with connected_to(url, token) as socket:
        await subscribe(socket, "1", _SNAPSHOT)
        messages = [json.loads(await socket.recv()) for _ in range(count)]
    return [message["payload"]["data"]["usageUpdated"]["customerMeter"] for message in messages]


async def test_a_larger_snapshot_needs_no_more_statements(
    settings: Settings, organization: Organization, other_organization: Organization
) -> None:
    reading = []
    async with served(settings) as url, asyncio.timeout(60):
        for tenant, size in ((organization, 2), (other_organization, 6)):
            await grow(tenant, size)
            token = await new_token(tenant)
            with counted() as statements:
                found = await updates(url, token, size * size)
            pairs = {(one["customer"]["externalId"], one["meter"]["name"]) for one in found}
            assert pairs == {(f"c{n}", f"meter {m}") for n in range(size) for m in range(size)}
            reading.append(
                [
                    sum(f'FROM "{table}"' in statement for statement in statements)
                    for table in ("customer", "meter")
                ]
            )
    assert reading == [[1, 1], [1, 1]]
