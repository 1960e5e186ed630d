"""MeterFilterInput and MeterAggregationInput: the language of meters, as clients write it.

The types only show clients the shape. The values are passed on unchanged to
`metering.language.parsing`, the only module that reads them.
"""

from collections.abc import Mapping
from typing import Any

import strawberry

from metering.language.aggregations import Aggregation
from metering.language.filters import Filter
from metering.language.parsing import parse_aggregation, parse_filter
from metering.problems import Problem
from schema.enums import AggregationFunction, ClauseOperator, Conjunction
from schema.errors import bad_input
from schema.inputs.raw import kept_raw
from schema.scalars import ClauseValue


@strawberry.input(
    description="A comparison of an event's property. Give exactly one of value and text."
)
class MeterClauseInput:
    property: str = strawberry.field(
        description="`name`, `timestamp`, or a path into the metadata such as usage.tokens. For "
        "a metadata key called name, write `metadata.name`."
    )
    operator: ClauseOperator = strawberry.field(description="How to compare.")
    value: ClauseValue | None = strawberry.field(default=None, description="A typed value.")
    text: str | None = strawberry.field(
        default=None,
        description="A value as a person types it. It is read as a number if possible, then as "
        "true or false, and otherwise as a string.",
    )


@strawberry.input(one_of=True, description="A comparison or a nested filter. Give exactly one.")
class MeterFilterNodeInput:
    clause: MeterClauseInput | None = strawberry.field(
        default=strawberry.UNSET, description="A comparison."
    )
    filter: "MeterFilterInput | None" = strawberry.field(
        default=strawberry.UNSET, description="A nested filter."
    )


@strawberry.input(
    description="Which events match. Without clauses, all events do. At most 5 levels and 100 "
    "clauses."
)
class MeterFilterInput:
    raw: strawberry.Private[Mapping[str, Any]]
    conjunction: Conjunction = strawberry.field(
        default=Conjunction.AND, description="How the clauses are combined."
    )
    clauses: list[MeterFilterNodeInput] = strawberry.field(
        default_factory=list, description="Comparisons and nested filters."
    )


@strawberry.input(
    description="How to aggregate the events that match. `property` is required, except for "
    "COUNT, which takes none."
)
class MeterAggregationInput:
    raw: strawberry.Private[Mapping[str, Any]]
    function: AggregationFunction = strawberry.field(description="The function.")
    property: str | None = strawberry.field(
        default=None,
        description="The property whose values are aggregated: a path into the metadata, or "
        "`name` for UNIQUE.",
    )
    carries_over: bool | None = strawberry.field(
        default=False,
        description="Whether a value lasts until the next event of the customer, as a number of "
        "seats does: a period, and any other range, begins with the latest value from before it, "
        "as if an event at its start had it. Only for MAXIMUM and LATEST, and for meters without "
        "dimensions.",
    )


kept_raw(MeterFilterInput)
kept_raw(MeterAggregationInput)


def read_filter(sent: MeterFilterInput, *path: str) -> Filter | list[Problem]:
    """Returns the filter that was sent, or all its errors, with paths below `path`."""
    found = parse_filter(sent.raw)
    return found if isinstance(found, Filter) else [one.below(*path) for one in found]


def read_aggregation(sent: MeterAggregationInput, *path: str) -> Aggregation | list[Problem]:
    """Returns the aggregation that was sent, or its errors, with paths below `path`."""
    found = parse_aggregation(sent.raw)
    return found if isinstance(found, Aggregation) else [one.below(*path) for one in found]


def required(found: Filter | Aggregation | list[Problem]) -> Any:
    """Raises BadUserInput with the first error; for queries, which have no userErrors."""
    if isinstance(found, list):
        raise bad_input(found[0])
    return found
