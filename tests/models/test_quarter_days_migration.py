"""Databases with usage by dimension of hours only get that of six hours."""

from datetime import timedelta
from importlib import import_module
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from models import Organization
from models.dimension import QUARTER_DAYS
from tests.ingesting import NOON, drain, send
from tests.metering.stored import WITH_DIMENSIONS


async def rows(database: BaseDBAsyncClient) -> list[Any]:
    return await database.execute_query_dict(
        "SELECT * FROM dimension_bucket WHERE customer_id = $1"
        " ORDER BY meter_id, bucket, combination",
        [QUARTER_DAYS],
    )


async def test_six_hours_are_merged_from_the_hours_that_are_there(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    for function in WITH_DIMENSIONS:
        value = None if function is AggregationFunction.COUNT else "n"
        aggregation = Aggregation(function, value)
        await create_meter(organization.id, function, None, Filter(), aggregation, ["model"])
    await send(
        organization.id,
        *(
            {
                "externalCustomerId": f"c{number % 2}",
                "timestamp": NOON + timedelta(minutes=47 * number),
                "metadata": {"n": number * number % 7, "model": number % 3},
            }
            for number in range(20)
        ),
    )
    await drain(organization.id)
    as_counted = await rows(fresh_database)
    assert len(as_counted) == len(WITH_DIMENSIONS) * 9
    await fresh_database.execute_script("DROP TABLE dimension_bucket_quarter_day")

    migration: Any = import_module("models.migrations.0078_quarter_days").Migration
    (operation,) = migration.operations
    for statement in operation.sql:
        await fresh_database.execute_script(statement)

    assert await rows(fresh_database) == as_counted
