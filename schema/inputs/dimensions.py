"""Inputs about dimensions: the arguments of usage by dimension, and the dimensions of a meter."""

from typing import Annotated

import strawberry

from metering.language.dimensions import MAXIMUM_DIMENSIONS
from metering.language.metadata import MAXIMUM_STRING
from metering.texts import text_fault
from metering.usage.grouping import DimensionValue, Grouping
from schema.errors import BadUserInput

MAXIMUM_ONLY = 100


@strawberry.input(description="A value of a dimension.")
class DimensionValueInput:
    property: str = strawberry.field(description="The dimension.")
    value: str | None = strawberry.field(
        default=None,
        description="The value as text. Null means events without a string, number or boolean.",
    )


GroupBy = Annotated[
    list[str] | None,
    strawberry.argument(description="The meter's dimensions by which to group usage."),
]
Only = Annotated[
    list[DimensionValueInput] | None,
    strawberry.argument(
        description="Include only events with these values: one of those given for each dimension. "
        "At most 100. The other group, whose values are not kept, is left out."
    ),
]


def read_grouping(group_by: list[str] | None, only: list[DimensionValueInput] | None) -> Grouping:
    """Reads how to group usage. Raises BadUserInput if it asks for too much."""
    by, values = tuple(group_by or ()), tuple(only or ())
    if len(by) > MAXIMUM_DIMENSIONS:
        message = f"`groupBy` has {len(by):,} dimensions; at most {MAXIMUM_DIMENSIONS} are allowed"
        raise BadUserInput(message, path=["groupBy"])
    if len(values) > MAXIMUM_ONLY:
        message = f"`only` has {len(values):,} values; at most {MAXIMUM_ONLY} are allowed"
        raise BadUserInput(message, path=["only"])
    for value in values:
        fault = None
        if value.value is not None:
            fault = text_fault(value.value, MAXIMUM_STRING, minimum=0)
        if fault is not None:
            raise BadUserInput(f"A value in `only` {fault[1]}", path=["only"])
    return Grouping(by, tuple(DimensionValue(value.property, value.value) for value in values))
