"""Subscriptions from before usage periods go on: their usage period is their period."""

from importlib import import_module
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.billing.world import World


async def test_a_subscription_goes_on_where_it_was(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    customer, _meter, subscription = await world.subscribed(fixed=100, units=5)
    before = await subscription.filter(id=subscription.id).values()
    # As the version before stored it.
    await fresh_database.execute_script(
        """
        ALTER TABLE customer_subscription
            ALTER usage_period_start DROP NOT NULL, ALTER usage_period_end DROP NOT NULL;
        UPDATE customer_subscription
        SET usage_period_start = NULL, usage_period_end = NULL, usage_whole_start = NULL;
        """
    )
    migration: Any = import_module("models.migrations.0036_usage_periods").Migration

    (script,) = (one for one in migration.operations if hasattr(one, "sql"))
    for statement in script.sql:
        await fresh_database.execute_script(statement)

    assert await subscription.filter(id=subscription.id).values() == before
    await world.use(customer, ("2026-01-10", 7))
    await world.cycle("2026-02-01")
    assert [one.amounts for one in await world.invoices()] == [[100], [2, 100]]
