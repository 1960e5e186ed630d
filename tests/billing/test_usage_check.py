"""Whether a customer may use more, by its credit and by its subscription."""

from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.subscriptions.life import CancelWhen
from billing.subscriptions.usage_check import UsageCheck, check_usage
from config import clock
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import archive_meter, create_meter, unarchive_meter
from models import Customer, Meter, Organization
from models.identifiers import new_id
from tests.billing.world import World, instant
from tests.ingesting import catch_up_all

ONE = Decimal(1)


async def checked(
    world: World, customer: Customer, meter: Meter, at: str = "2026-01-15"
) -> UsageCheck:
    with clock.at(instant(at)):
        return await check_usage(world.id, meter.id, "id", customer.id)


async def allowed(world: World, customer: Customer, meter: Meter, at: str) -> bool:
    return (await checked(world, customer, meter, at)).allows(ONE)


async def test_credit_allows_what_remains_of_it_exactly(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    nothing = await checked(world, customer, meter)
    assert (nothing.balance, nothing.has_metered_price) == (Decimal(0), False)
    assert not nothing.allows(Decimal("0.000000000000000000000000000001"))
    assert nothing.allows(Decimal(0))

    await world.credit(customer, meter, 10, "2026-01-01")
    await world.use(customer, ("2026-01-02", Decimal("2.7")))
    found = await checked(world, customer, meter)
    assert found.balance == Decimal("7.3")
    assert found.allows(Decimal("7.3"))
    assert not found.allows(Decimal("7.300000000000000000000000000001"))
    # More digits than Python's arithmetic has by itself.
    assert not found.allows(Decimal("9" * 38))
    await world.credit(customer, meter, int("9" * 30), "2026-01-03")
    found = await checked(world, customer, meter)
    assert found.balance == Decimal("1" + "0" * 29 + "6.3")
    assert found.allows(Decimal("9" * 30 + ".5"))
    assert not found.allows(Decimal("1" + "0" * 29 + "6.4"))

    assert (await check_usage(world.id, meter.id, "external_id", "acme")) == found


async def test_an_overdrawn_balance_allows_nothing(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.credit(customer, meter, 10, "2026-01-01")
    await world.use(customer, ("2026-01-02", 15))
    found = await checked(world, customer, meter)
    assert found.balance == -5
    assert not found.allows(ONE)
    assert not found.allows(Decimal(0))


async def test_a_price_allows_any_number_of_units(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=10)
    await world.use(customer, ("2026-01-02", 15))
    found = await checked(world, customer, meter)
    assert (found.balance, found.has_metered_price) == (Decimal(-5), True)
    assert found.allows(Decimal("9" * 38))


async def test_a_plan_without_a_price_allows_what_it_includes(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), benefits=[await world.benefit(meter, 10)])
    await world.subscribe(customer, product, "2026-01-01")
    await world.use(customer, ("2026-01-02", 4))
    found = await checked(world, customer, meter)
    assert (found.balance, found.has_metered_price) == (Decimal(6), False)
    assert found.allows(Decimal(6))
    assert not found.allows(Decimal(7))


async def test_a_price_on_another_meter_or_of_another_customer_allows_nothing(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    other_meter, other_customer = await world.meter(name="video"), await world.customer("other")
    assert await allowed(world, customer, meter, "2026-01-15")
    assert not await allowed(world, customer, other_meter, "2026-01-15")
    assert not await allowed(world, other_customer, meter, "2026-01-15")


async def test_a_subscription_allows_from_its_start_to_its_end(world: World) -> None:
    """No worker runs here: what is due happens when its time has come."""
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter), trial_days=7)
    subscription = await world.subscribe(customer, product, "2026-01-01", "2026-02-01")
    for at, expected in (
        ("2026-01-31T23:59:59.999999", False),
        ("2026-02-01", True),  # its trial
        ("2026-02-08", True),
    ):
        assert await allowed(world, customer, meter, at) is expected, at
    await world.cycle("2026-02-08")
    await world.cancel(subscription, "2026-02-10", CancelWhen.PERIOD_END)
    for at, expected in (
        ("2026-02-10", True),
        ("2026-03-07T23:59:59.999999", True),
        ("2026-03-08", False),
    ):
        assert await allowed(world, customer, meter, at) is expected, at
    await world.resume(subscription, "2026-03-07")
    assert await allowed(world, customer, meter, "2026-03-08")
    await world.cancel(subscription, "2026-03-07")
    assert not await allowed(world, customer, meter, "2026-03-07")


async def test_a_subscription_that_was_withdrawn_or_cancelled_in_its_trial_ends(
    world: World,
) -> None:
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.per_unit(meter), trial_days=7)
    withdrawn = await world.subscribe(customer, product, "2026-01-01", "2026-02-01")
    await world.cancel(withdrawn, "2026-01-02", CancelWhen.PERIOD_END)
    assert not await allowed(world, customer, meter, "2026-02-02")
    trial = await world.subscribe(customer, product, "2026-01-03")
    await world.cancel(trial, "2026-01-04", CancelWhen.PERIOD_END)
    assert await allowed(world, customer, meter, "2026-01-09")
    assert not await allowed(world, customer, meter, "2026-01-10")


async def test_another_product_applies_once_the_change_is_made(world: World) -> None:
    customer, meter, subscription = await world.subscribed()
    flat = await world.product(world.fixed(), name="Flat")
    await world.change(subscription, "2026-01-10", flat)
    assert not await allowed(world, customer, meter, "2026-01-10")


async def test_a_meter_that_catches_up_says_how_far_it_has_counted(world: World) -> None:
    customer, live = await world.customer(), await world.meter()
    await world.use(customer, ("2026-01-02", 4), ("2026-01-03", 5))
    tokens = Aggregation(AggregationFunction.SUM, "tokens")
    behind = await create_meter(world.id, "Behind", None, Filter(), tokens)
    await world.credit(customer, behind, 5, "2026-01-04")
    early = await checked(world, customer, behind)
    assert (early.balance, early.position) == (Decimal(5), 0)
    await catch_up_all(world.id)
    late = await checked(world, customer, behind)
    assert (late.balance, late.position) == (Decimal(-4), 1)
    assert (await checked(world, customer, live)).position == 1


async def test_an_archived_meter_allows_nothing(world: World) -> None:
    customer, meter = await world.customer(), await world.meter()
    await world.credit(customer, meter, 10, "2026-01-01")

    async def unused(_connection: BaseDBAsyncClient, *_ids: object) -> None:
        return None

    await archive_meter(world.id, meter.id, unused)
    found = await checked(world, customer, meter)
    assert found.balance == 10
    assert not found.allows(ONE)
    await unarchive_meter(world.id, meter.id)
    assert await allowed(world, customer, meter, "2026-01-15")


async def test_an_unknown_customer_or_meter_is_none(
    world: World, other_organization: Organization
) -> None:
    customer, meter = await world.customer(), await world.meter()
    for organization_id, meter_id, customer_id in (
        (world.id, meter.id, new_id()),
        (other_organization.id, meter.id, customer.id),
    ):
        assert (await check_usage(organization_id, meter_id, "id", customer_id)).customer_id is None
    assert (await check_usage(world.id, meter.id, "external_id", "nobody")).customer_id is None
    assert (await check_usage(world.id, new_id(), "id", customer.id)).meter_id is None
    assert (await check_usage(other_organization.id, meter.id, "id", new_id())).meter_id is None


READ = (
    "customer",
    "customer_meter",
    "customer_subscription",
    "subscription_meter",
    "product_price",
)


@pytest.mark.parametrize("key", ["id", "external_id"])
async def test_a_check_reads_a_few_rows_by_their_keys(
    fresh_database: BaseDBAsyncClient, organization: Organization, key: str
) -> None:
    """Among thousands of customers, by a plan made for any of them."""
    world = World(organization, fresh_database)
    customer, meter, _subscription = await world.subscribed(units=10)
    counted = "count, unique_count, sum, consumed, credited, revision"
    for table, columns, values in (
        ("customer", "id, external_id, created_at", "x, 'c' || n, now()"),
        (
            "customer_meter",
            f"id, customer_id, meter_id, updated_at, {counted}",
            "x, x, $2, now(), 0, 0, 0, 0, 0, 0",
        ),
        ("subscription_meter", "customer_id, meter_id, subscription_id", "x, $2, x"),
    ):
        await world.query(
            f"""
            INSERT INTO {table} (organization_id, {columns})
            SELECT $1, {values} FROM (
                SELECT n, lpad(n::text, 32, '0')::uuid AS x FROM generate_series(1, 3000) AS n
                WHERE $2::uuid IS NOT NULL
            ) AS made
            RETURNING 1
            """,
            meter.id,
        )
    await fresh_database.execute_script("ANALYZE")
    named = customer.id if key == "id" else customer.external_id
    assert named is not None
    async with in_transaction() as connection:
        await connection.execute_script("SET LOCAL plan_cache_mode = force_generic_plan")
        found = await check_usage(world.id, meter.id, "id" if key == "id" else "external_id", named)
        assert found.allows(ONE)
        rows = await connection.execute_query_dict(
            """
            SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows
            FROM pg_stat_xact_user_tables WHERE relname = ANY($1::text[])
            """,
            [list(READ)],
        )
    assert 3 <= rows[0]["rows"] <= 3 * len(READ)
