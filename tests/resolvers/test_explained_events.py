"""The events of invoice lines, also where they are late, archived or erased."""

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import AggregationFunction
from models import Customer, CustomerSubscription, Organization
from tests.billing.rated import by_model
from tests.billing.world import World
from tests.graphql_client import Api
from tests.ingesting import catch_up_all
from tests.metering.archives import MARCH, archive, restore
from tests.metering.erasing import begin_erasing, erase_all
from tests.resolvers.explaining import EVENTS, INVOICES, events, invoices, numbers, sold


@pytest.fixture
async def world(organization: Organization, database: BaseDBAsyncClient) -> World:
    return World(organization, database)


async def test_the_lines_of_rates_have_their_own_events(api: Api, world: World) -> None:
    customer, meter = await world.customer(), await world.meter(dimensions=["model", "kind"])
    product = await world.product(by_model(meter))
    await world.subscribe(customer, product, "2026-01-01")
    for tokens, model in ((100, "large"), (7, "small"), (9, "large")):
        await world.use(customer, ("2026-01-05", tokens), model=model)
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    assert [line["consumedUnits"] for line in invoice["lines"]] == ["109", "7"]
    assert sorted(await numbers(api, invoice, 0)) == [9, 100]
    assert await numbers(api, invoice, 1) == [7]
    # Erasing takes the model of each event away, so no rate can be told.
    await erase_all(world.id, await erased(world, customer))
    assert await api.codes(EVENTS, id=invoice["id"], ordinal=0) == ["EVENTS_ERASED"]
    first = "{ invoices(first: 1) { nodes { lines { explanation { steps { units } } } } } }"
    [still] = (await api.get(first))["invoices"]["nodes"]
    assert [line["explanation"]["steps"][0]["units"] for line in still["lines"]] == ["109", "7"]


async def erased(world: World, customer: Customer) -> UUID:
    """Ends the subscription and erases the customer, whose id it returns."""
    subscription = await CustomerSubscription.get(organization_id=world.id)
    await world.cancel(subscription, "2026-02-02")
    await begin_erasing(world.id, customer.id)
    return customer.id


async def test_a_value_that_lasts_is_listed_with_the_event_that_it_comes_from(
    api: Api, world: World
) -> None:
    customer = await world.customer()
    meter = await world.meter(AggregationFunction.TIME_WEIGHTED)
    product = await world.product(world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2025-11-01", 8), ("2025-12-24", 2), ("2026-01-11", 1))
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    assert invoice["lines"][0]["consumedUnits"] == str(24 * (2 * 10 + 21))
    assert await numbers(api, invoice, 0) == [1, 2]


async def test_events_come_in_pages_as_of_the_invoice(api: Api, world: World) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, *((f"2026-01-0{day}", day) for day in range(1, 6)))
    await world.cycle("2026-02-01")
    await world.use(one.customer, ("2026-01-03T12:00", 1_000))
    [invoice] = await invoices(api)
    page = await events(api, invoice, 0, first=3)
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (5, True)
    rest = await events(api, invoice, 0, first=3, after=page["pageInfo"]["endCursor"])
    found = [event["metadata"]["tokens"] for event in page["nodes"] + rest["nodes"]]
    assert found == [5, 4, 3, 2, 1]
    assert await api.get(EVENTS, id=invoice["id"], ordinal=1) == {"invoice": {"line": None}}


async def test_archived_events_are_said_to_be_so(
    fresh_database: BaseDBAsyncClient, api: Api, organization: Organization, tmp_path: Path
) -> None:
    world = World(organization, fresh_database)
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5))
    await world.cycle("2026-02-01")
    await world.use(one.customer, ("2026-02-05", 6))
    await world.cycle("2026-03-01")
    await world.use(one.customer, ("2026-03-05", 7))
    await world.cycle("2026-04-01")
    await catch_up_all(organization.id)
    assert await archive(tmp_path, MARCH) == ["2026-01", "2026-02"]
    answer = await api.ask(INVOICES)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"EVENTS_ARCHIVED"}
    first, _second, third = answer["data"]["invoices"]["nodes"]
    assert first["lines"][0]["explanation"] is None
    assert third["lines"][0]["explanation"]["matchedEvents"] == 1
    answer = await api.ask(EVENTS, id=first["id"], ordinal=0)
    assert answer["data"] == {"invoice": {"line": None}}
    assert "2026-03-01T00:00:00Z" in answer["errors"][0]["message"]
    await restore(tmp_path)
    assert await numbers(api, first, 0) == [5]


async def test_erased_events_still_explain_the_units(api: Api, world: World) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5), ("2026-01-06", 7))
    await world.cycle("2026-02-01")
    await erase_all(world.id, await erased(world, one.customer))
    invoice = (await invoices(api))[0]
    assert invoice["lines"][0]["explanation"]["matchedEvents"] == 2
    page = await events(api, invoice, 0)
    assert [event["metadata"] for event in page["nodes"]] == [{}, {}]
