"""Databases in which the first instant was stored as -infinity are read again."""

from importlib import import_module
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from models import Organization
from tests.ingesting import drain, send

TABLES = ("customer_meter", "event", "event_name_seen", "usage_bucket", "usage_value")


async def rows(database: BaseDBAsyncClient) -> list[Any]:
    return [
        await database.execute_query_dict(f"SELECT {table}::text AS row FROM {table} ORDER BY 1")
        for table in TABLES
    ]


async def test_the_first_instant_becomes_what_it_is(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    for function in (AggregationFunction.LATEST, AggregationFunction.UNIQUE):
        await create_meter(organization.id, function, None, Filter(), Aggregation(function, "n"))
    await send(
        organization.id,
        {"timestamp": "0001-01-01T00:00:00Z", "metadata": {"n": 1}, "externalCustomerId": "c2"},
        {"metadata": {"n": 2}},
    )
    await drain(organization.id)
    as_they_are = await rows(fresh_database)
    migration: Any = import_module("models.migrations.0010_first_instants").Migration
    (operation,) = migration.operations
    first, unbounded = "'0001-01-01 00:00:00Z'", "'-infinity'"
    for statement in operation.sql:
        backwards = statement.replace(unbounded, "?").replace(first, unbounded).replace("?", first)
        await fresh_database.execute_script(backwards)
    as_they_were = await rows(fresh_database)
    assert all(before != after for before, after in zip(as_they_were, as_they_are, strict=True))

    for statement in operation.sql:
        await fresh_database.execute_script(statement)

    assert await rows(fresh_database) == as_they_are
