"""Reads the definition of a meter, as counting needs it, from its row."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    "event_names",
    "position",
    "usage_version",
    "dimensions",
    "dimensions_position",
)
METER_COLUMNS = ", ".join(_NAMES)
"""The columns of `meter` that `meter_definition` reads."""


@dataclass(frozen=True, slots=True)
class MeterDefinition:
    """`position` is None while the meter is live: it then stands at the head of the log.

    `dimensions_position` is None while usage by dimension is counted together with the rest.
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

    @property
    def is_behind(self) -> bool:
        """Whether the totals or the usage by dimension have history to count."""
        return self.position is not None or self.dimensions_position is not None

    @property
    def counts_dimensions(self) -> bool:
        """Whether usage by dimension is counted together with the rest."""
        return bool(self.dimensions) and self.dimensions_position == self.position

    @property
    def keeps_values(self) -> bool:
        """Whether the values themselves are kept, beside the state of the aggregation."""
        return self.aggregation.function.calculation.keeps_values


def definition_of(meter: Meter) -> MeterDefinition:
    """Returns the definition of a meter."""
    return MeterDefinition(
        id=meter.id,
        organization_id=meter.organization_id,
        filter=stored_filter(meter.event_filter),
        aggregation=Aggregation(
            AggregationFunction(meter.aggregation_function), meter.aggregation_property
        ),
        event_names=None if meter.event_names is None else tuple(meter.event_names),
        position=meter.position,
        usage_version=meter.usage_version,
        dimensions=tuple(meter.dimensions),
        dimensions_position=meter.dimensions_position,
    )


def meter_definition(row: Mapping[str, Any]) -> MeterDefinition:
    """Reads the definition from a row of `meter`, which may have other columns too."""
    return definition_of(Meter(**{column: row[column] for column in _NAMES}))
