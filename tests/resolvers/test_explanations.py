"""Invoice lines taken apart through the API: steps and credit, and who may see them."""

from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.schemes import Pricing
from models import Organization
from schema.context import Scope
from tests.billing.world import World
from tests.graphql_client import Api
from tests.resolvers.explaining import (
    EVENTS,
    INVOICES,
    LINE,
    TIERS,
    UPCOMING,
    events,
    invoices,
    numbers,
    sold,
    steps,
)
from tests.serving import new_token
from tests.statements import counted


@pytest.fixture
async def world(organization: Organization, database: BaseDBAsyncClient) -> World:
    return World(organization, database)


async def test_each_step_from_the_usage_to_the_amount_is_shown(api: Api, world: World) -> None:
    one = await sold(
        world,
        credit=10,
        pricing=Pricing.GRADUATED,
        parameters={"tiers": TIERS},
        cap_amount=12,
        conversion=Conversion(Decimal(1_000), RoundingMode.UP),
    )
    await world.use(one.customer, ("2026-01-05", 4_000), ("2026-01-06", 1_511))
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    [line] = invoice["lines"]
    assert (line["consumedUnits"], line["billableUnits"], line["amount"]) == ("5511", "5501", 12)
    assert steps(line) == [
        ("Usage", "5511", "0"),
        ("Covered by credit", "-10", "0"),
        ("Divided by 1,000, rounded up", "6", "0"),
        ("Tier 1, up to 3 units", "3", "1.5"),
        ("Tier 2, above 3 up to 5 units", "2", "9.6"),
        ("Tier 3, above 5 units", "1", "2"),
        ("Rounding", None, "-0.1"),
        ("Above the cap", None, "-1"),
    ]
    tier = line["explanation"]["steps"][4]
    assert (tier["unitAmount"], tier["flatAmount"]) == ("1.3", 7)
    assert line["explanation"]["credits"] == [{"kind": "GRANT", "units": "10"}]
    assert line["explanation"]["corrects"] is None
    assert (line["ordinal"], line["explanation"]["matchedEvents"]) == (0, 2)
    assert await numbers(api, invoice, 0) == [1_511, 4_000]


async def test_endless_decimals_add_up_too(api: Api, world: World) -> None:
    one = await sold(
        world,
        parameters={"unit_amount": Decimal("0.7")},
        conversion=Conversion(Decimal(3)),
        minimum_amount=5,
    )
    await world.use(one.customer, ("2026-01-05", 10))
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    assert steps(invoice["lines"][0]) == [
        ("Usage", "10", "0"),
        ("Divided by 3", "3.333333333333", "0"),
        ("Each unit", "3.333333333333", "2.333333333333"),
        ("Rounding", None, "-0.333333333333"),
        ("Up to the minimum", None, "3"),
    ]


async def test_a_correction_shows_its_late_events_and_what_it_corrects(
    api: Api, world: World
) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5), ("2026-02-01", 900))
    await world.cycle("2026-02-01")
    await world.use(one.customer, ("2026-01-06", 3))
    await world.cycle("2026-03-01")
    await world.use(one.customer, ("2026-01-07", -1), ("2026-01-08", 4))
    [subscription] = (await api.get(UPCOMING))["subscriptions"]["nodes"]
    upcoming = [line["explanation"] for line in subscription["upcomingInvoice"]["lines"]]
    await world.cycle("2026-04-01")

    first, second, third = await invoices(api)
    correction, again = second["lines"][1], third["lines"][1]
    assert [correction["kind"], again["kind"]] == ["CORRECTION", "CORRECTION"]
    assert (correction["amount"], again["amount"]) == (6, 6)
    assert steps(again) == [
        ("Usage", "11", "0"),
        ("Each unit", "11", "22"),
        ("Billed before", None, "-16"),
    ]
    assert correction["explanation"]["corrects"]["amount"] == first["lines"][0]["amount"] == 10
    assert again["explanation"]["corrects"]["description"] == correction["description"]
    assert await numbers(api, first, 0) == [5]
    assert await numbers(api, second, 0) == [900]
    assert await numbers(api, second, 1) == [3]
    assert await numbers(api, third, 1) == [4, -1]
    assert again["explanation"]["matchedEvents"] == 2
    # An estimate explains its lines as the invoice does afterwards.
    assert [one["steps"] for one in upcoming] == [
        line["explanation"]["steps"] for line in third["lines"]
    ]
    assert upcoming[1]["corrects"] == again["explanation"]["corrects"]


async def test_what_was_voided_is_not_what_a_correction_corrects(api: Api, world: World) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5))
    await world.cycle("2026-02-01")
    await world.use(one.customer, ("2026-01-06", 3))
    await world.cycle("2026-03-01")
    await world.void((await world.invoices())[1].invoice, "2026-03-02")
    await world.use(one.customer, ("2026-01-07", 4))
    await world.cycle("2026-04-01")
    _first, voided, third = await invoices(api)
    [correction] = [line for line in third["lines"] if line["consumedUnits"] == "7"]
    assert correction["explanation"]["corrects"]["amount"] == 10
    assert await numbers(api, third, correction["ordinal"]) == [4, 3]
    # What was said of the voided invoice stays.
    assert await numbers(api, voided, 1) == [3]


async def test_prorated_and_discounted_amounts_have_steps(api: Api, world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(3_100), world.per_unit(meter), minimum=50)
    subscription = await world.subscribe(customer, product, "2026-01-01", quantity=2)
    await world.discount(subscription, "2026-01-02", percent=10)
    await world.use(customer, ("2026-01-05", 20))
    await world.change(subscription, "2026-01-11", quantity=3)
    invoice = (await invoices(api))[-1]
    by_kind = {line["description"]: steps(line) for line in invoice["lines"]}
    assert by_kind["Remaining time of AI plan × 3"] == [  # noqa: RUF001  # as it is named
        ("A whole period", "3", "9300"),
        ("The rest of the period, 32.2581% of its time", None, "-3000"),
    ]
    assert by_kind["Unused time of AI plan × 2"] == [  # noqa: RUF001  # as it is named
        ("A whole period", "-2", "-6200"),
        ("The rest of the period, 32.2581% of its time", None, "2000"),
    ]
    kinds = {line["kind"] for line in invoice["lines"]}
    assert kinds == {"METERED", "PRORATION", "DISCOUNT"}
    [line] = [line for line in invoice["lines"] if line["kind"] == "DISCOUNT"]
    assert line["explanation"]["steps"][0]["description"] == "10% of what is charged"
    assert (await events(api, invoice, line["ordinal"]))["nodes"] == []


async def test_a_customer_takes_apart_its_own_lines_and_no_others(
    api: Api, other_api: Api, world: World
) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5))
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    lines = f"lines {{ {LINE} events {{ nodes {{ id }} }} }}"
    viewer = f"{{ viewer {{ invoices(first: 1) {{ nodes {{ id {lines} }} }} }} }}"
    session = await api.session(str(one.customer.external_id))
    found = (await session.get(viewer))["viewer"]["invoices"]["nodes"]
    assert [one["lines"][0]["explanation"] for one in found] == [invoice["lines"][0]["explanation"]]
    assert len(found[0]["lines"][0]["events"]["nodes"]) == 1
    stranger = await api.session("stranger")
    assert (await stranger.get(viewer))["viewer"]["invoices"]["nodes"] == []
    assert await other_api.get(EVENTS, id=invoice["id"], ordinal=0) == {"invoice": None}


async def test_steps_take_billing_read_and_events_usage_read(
    api: Api, organization: Organization, world: World
) -> None:
    one = await sold(world, parameters={"unit_amount": Decimal(2)})
    await world.use(one.customer, ("2026-01-05", 5))
    await world.cycle("2026-02-01")
    [invoice] = await invoices(api)
    books = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    assert await books.codes(INVOICES) == []
    assert await books.codes(EVENTS, id=invoice["id"], ordinal=0) == ["FORBIDDEN"]


async def test_explaining_many_lines_costs_few_statements_or_is_refused(
    api: Api, world: World
) -> None:
    one = await sold(world, credit=1, parameters={"unit_amount": Decimal(2)})
    for month in range(1, 7):
        await world.use(
            one.customer, (f"2026-0{month}-05", 5), (f"2026-0{max(1, month - 1)}-06", 1)
        )
        await world.cycle(f"2026-0{month + 1}-01")
    asked = INVOICES.replace("matchedEvents", "")
    counts = []
    for first in (2, 2, 6):
        with counted() as statements:
            found = await api.get(asked.replace("first: 3", f"first: {first}"))
        counts.append(len(statements))
    assert sum(len(invoice["lines"]) for invoice in found["invoices"]["nodes"]) == 11
    assert counts[1] == counts[2] < 10
    assert await api.codes(INVOICES.replace("first: 3", "first: 50")) == ["TOO_COMPLEX"]
