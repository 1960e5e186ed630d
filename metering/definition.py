"""What a meter counts, read from its row: the part of a meter that counting needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from metering.aggregations import Aggregation, AggregationFunction
from metering.filter_parsing import stored_filter
from metering.filters import Filter
from models import exact_json

COLUMNS = (
    "id, organization_id, event_filter, aggregation_function, aggregation_property, event_names,"
    " position, archived_at"
)
"""The columns of `meter` that `meter_definition` reads."""


@dataclass(frozen=True, slots=True)
class MeterDefinition:
    """`position` is None while the meter is live: it then stands at the head of the log."""

    id: UUID
    organization_id: UUID
    filter: Filter
    aggregation: Aggregation
    event_names: tuple[str, ...] | None
    position: int | None


def meter_definition(row: Mapping[str, Any]) -> MeterDefinition:
    """The definition in a row of `meter`, as SQL gives it."""
    names = row["event_names"]
    return MeterDefinition(
        id=row["id"],
        organization_id=row["organization_id"],
        filter=stored_filter(exact_json.loads(row["event_filter"])),
        aggregation=Aggregation(
            AggregationFunction(row["aggregation_function"]), row["aggregation_property"]
        ),
        event_names=None if names is None else tuple(names),
        position=row["position"],
    )
