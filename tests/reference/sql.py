"""Runs compiled predicates and value expressions over events that are in no table."""

from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.filters import Filter
from metering.language.parameters import Parameters
from metering.language.parsing import parse_filter
from metering.language.predicates import predicate_sql
from models import exact_json

EVENTS = """
WITH e AS MATERIALIZED (
    SELECT id, name, timestamp, metadata::jsonb AS metadata, ordinality
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
        WITH ORDINALITY AS given (id, name, timestamp, metadata, ordinality)
)
"""


def event_parameters(events: list[dict[str, Any]]) -> Parameters:
    """The parameters of EVENTS."""
    return Parameters(
        [event["id"] for event in events],
        [event["name"] for event in events],
        [event["timestamp"] for event in events],
        [exact_json.dumps(event["metadata"]) for event in events],
    )


def parsed(filter_: dict[str, Any]) -> Filter:
    """The filter that JSON writes; fails the test where it is invalid."""
    result = parse_filter(filter_)
    assert isinstance(result, Filter), result
    return result


async def matched_in_sql(
    database: BaseDBAsyncClient, filters: list[dict[str, Any]], events: list[dict[str, Any]]
) -> list[list[bool | None]]:
    """For each filter, what its predicate says of each event."""
    parameters = event_parameters(events)
    columns = ", ".join(
        f"array_agg({predicate_sql(parsed(filter_), parameters)} ORDER BY ordinality) AS f{index}"
        for index, filter_ in enumerate(filters)
    )
    (row,) = await database.execute_query_dict(
        f"{EVENTS} SELECT {columns} FROM e", parameters.values
    )
    return [row[f"f{index}"] for index in range(len(filters))]
