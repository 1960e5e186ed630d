"""Aggregations: what a meter makes of the events that it counts (design, section 6).

A *partial aggregate* is what is kept of some events so that any aggregation over more of them
follows from merging: count, skipped, sum, minimum, maximum, latest_value, latest_at and
latest_event_id. UNIQUE keeps keys of distinct values besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from metering.parameters import Parameters
from metering.properties import (
    EventField,
    json_sql,
    numeric_sql,
    property_of,
    property_problem,
)

PARTIAL_COLUMNS = (
    "count",
    "skipped",
    "sum",
    "minimum",
    "maximum",
    "latest_value",
    "latest_at",
    "latest_event_id",
)


class AggregationFunction(StrEnum):
    """What is made of the matching events."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVERAGE = "AVERAGE"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    UNIQUE = "UNIQUE"
    LATEST = "LATEST"
