"""A customer with very many combinations keeps 1,000 a month; the rest is one group."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from metering.usage.grouping import DimensionValue, Grouping
from metering.usage.groups import GroupedUsage, grouped_usage
from metering.usage.windows import Window
from models import DimensionCombination, Meter, Organization
from tests.ingesting import NOON, catch_up_all, definition_of, drain, send
from tests.metering.dimensions import drifts

SUM = Aggregation(AggregationFunction.SUM, "tokens")


async def meter_by_user(organization: Organization) -> Meter:
    return await create_meter(organization.id, "M", None, Filter(), SUM, ["user", "model"])


async def use(
    organization: Organization, users: range, customer: str = "c1", at: datetime = NOON
) -> None:
    await send(
        organization.id,
        *(
            {
                "externalCustomerId": customer,
                "timestamp": at,
                "metadata": {"user": f"u{user}", "model": "m", "tokens": user},
            }
            for user in users
        ),
    )
    await drain(organization.id)


async def groups_of(
    database: BaseDBAsyncClient,
    meter: Meter,
    grouping: Grouping,
    customer: str | None = None,
    days: int = 1,
) -> GroupedUsage:
    window = Window(NOON, NOON + timedelta(days=days))
    definition = await definition_of(meter)
    customer_id = None
    if customer is not None:
        rows = await database.execute_query_dict(
            "SELECT id FROM customer WHERE organization_id = $1 AND external_id = $2",
            [definition.organization_id, customer],
        )
        customer_id = rows[0]["id"]
    return await grouped_usage(database, definition, [window], grouping, customer_id)


BY_USER = Grouping(("user",))


async def test_a_key_with_very_many_values_ends_in_one_other_group(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by_user(organization)
    await use(organization, range(900))
    await use(organization, range(800, 1_700))
    await use(organization, range(2_000, 2_002), "c2")

    found = await groups_of(database, meter, BY_USER, "c1")

    *own, other = found.groups
    assert len(own) == 1_000
    assert (other.is_other, other.values) == (True, ())
    assert not any(group.is_other for group in own)
    quantities = [group.usage.total.quantity or Decimal(0) for group in found.groups]
    assert sum(quantities) == found.usage.total.quantity
    # The users that came first have groups of their own, with all of their usage.
    values = {group.values[0].value: group.usage.total.quantity for group in own}
    assert values.keys() > {f"u{user}" for user in range(900)}
    assert values["u850"] == 1_700
    # Nobody else's groups suffer.
    others = await groups_of(database, meter, BY_USER, "c2")
    assert [group.values[0].value for group in others.groups] == ["u2001", "u2000"]
    assert await DimensionCombination.filter(meter_id=meter.id).count() == 2_002
    assert await drifts(organization) == 0


async def test_every_month_has_numbers_of_its_own(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.dimensions.MAXIMUM_COMBINATIONS", 2)
    meter = await meter_by_user(organization)
    await use(organization, range(1, 4))
    await use(organization, range(3, 6), at=NOON + timedelta(days=40))
    await use(organization, range(1, 6))

    found = await groups_of(database, meter, BY_USER, days=60)

    quantities = [group.usage.total.quantity or Decimal(0) for group in found.groups]
    assert sum(quantities) == found.usage.total.quantity == 33
    assert [group.is_other for group in found.groups].count(True) == 1
    assert len(found.groups) in {4, 5}
    assert await drifts(organization) == 0
    # Counted again, each month keeps two.
    again = await meter_by_user(organization)
    await catch_up_all(organization.id)
    assert len((await groups_of(database, again, BY_USER)).groups) == 3


async def test_only_leaves_the_other_group_out(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.dimensions.MAXIMUM_COMBINATIONS", 2)
    meter = await meter_by_user(organization)
    await use(organization, range(1, 3))
    await use(organization, range(1, 9))
    only = (DimensionValue("model", "m"),)
    found = await groups_of(database, meter, Grouping(("model",), only))
    assert [group.is_other for group in found.groups] == [False]
    assert found.usage.total.quantity == 6
    without = await groups_of(database, meter, Grouping((), only))
    assert without.groups == ()
    assert without.usage.total.quantity == 6


async def test_an_answer_with_too_many_groups_keeps_those_with_the_most_events(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.usage.groups.MAXIMUM_GROUP_POINTS", 2)
    meter = await meter_by_user(organization)
    await use(organization, range(5))
    await use(organization, range(3, 5))
    found = await groups_of(database, meter, BY_USER)
    assert [group.usage.total.quantity for group in found.groups] == [8, 6, 3]
    assert [group.is_other for group in found.groups] == [False, False, True]
    assert [value.value for group in found.groups for value in group.values] == ["u4", "u3"]
