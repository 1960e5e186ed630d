"""Reads the definition of a meter, as counting needs it, from its row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.language.parsing import stored_filter
from models import Meter

_NAMES = (
    "id",
    "organization_id",
    "event_filter",
    "aggregation_function",
    "aggregation_property",
    "carries_over",
    "event_names",
    "position",
    "usage_version",
    "dimensions",
    "dimensions_position",
    "complete_from",
    "dimensions_complete_from",
)
METER_COLUMNS = ", ".join(_NAMES)
"""The columns of `meter` that `meter_definition` reads."""


@dataclass(frozen=True, slots=True)
class MeterDefinition:
    """`position` is None while the meter is live: it then stands at the head of the log.

    `dimensions_position` is None while usage by dimension is counted together with the rest.
    Events from before `complete_from` are not counted, and by dimension those from before
    `dimensions_complete_from`, because they were archived; None if all are counted.
    """

    id: UUID
    organization_id: UUID
    filter: Filter
    aggregation: Aggregation
    event_names: tuple[str, ...] | None
    position: int | None
    usage_version: int
    dimensions: tuple[str, ...] = ()
    dimensions_position: int | None = None
    complete_from: datetime | None = None
    dimensions_complete_from: datetime | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the totals or the usage by dimension have history to count."""
        return self.position is not None or self.dimensions_position is not None

    @property
    def history_from(self) -> datetime | None:
        """The instant, the start of a month, from which history is counted; None: all of it."""
        return self.dimensions_complete_from if self.position is None else self.complete_from

    @property
    def counts_dimensions(self) -> bool:
        """Whether usage by dimension is counted together with the rest."""
        return bool(self.dimensions) and self.dimensions_position == self.position

    @property
    def keeps_values(self) -> bool:
        """Whether the values themselves are kept, beside the state of the aggregation."""
        return self.aggregation.calculation().keeps_values


def definition_of(meter: Meter) -> MeterDefinition:
    """Returns the definition of a meter."""
    return MeterDefinition(
        id=meter.id,
        organization_id=meter.organization_id,
        filter=stored_filter(meter.event_filter),
        aggregation=Aggregation(
            AggregationFunction(meter.aggregation_function),
            meter.aggregation_property,
            meter.carries_over,
        ),
        event_names=None if meter.event_names is None else tuple(meter.event_names),
        position=meter.position,
        usage_version=meter.usage_version,
        dimensions=tuple(meter.dimensions),
        dimensions_position=meter.dimensions_position,
        complete_from=meter.complete_from,
        dimensions_complete_from=meter.dimensions_complete_from,
    )


def meter_definition(row: Mapping[str, Any]) -> MeterDefinition:
    """Reads the definition from a row of `meter`, which may have other columns too."""
    return definition_of(Meter(**{column: row[column] for column in _NAMES}))
