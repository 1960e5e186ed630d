"""How usage is grouped by a meter's dimensions, and which values are included, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass

from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters
from metering.language.properties import property_of
from metering.usage.windows import RangeError


@dataclass(frozen=True, slots=True)
class DimensionValue:
    """A value of a dimension; None for events without one."""

    property: str
    value: str | None


Places = Mapping[str, int]
"""The numbers of a meter's dimensions, from 1, by the names that a grouping uses."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """By which dimensions to group, and which values to include: any of each property's."""

    by: tuple[str, ...] = ()
    only: tuple[DimensionValue, ...] = ()


def places_of(meter: MeterDefinition, grouping: Grouping) -> Places:
    """Finds the dimensions that a grouping names. Raises RangeError if the meter lacks one."""
    known = {property_of(name): place for place, name in enumerate(meter.dimensions, start=1)}
    named = [("groupBy", name) for name in grouping.by]
    named += [("only", value.property) for value in grouping.only]
    places: dict[str, int] = {}
    for argument, name in named:
        place = known.get(property_of(name))
        if place is None:
            raise RangeError(argument, f"The meter has no dimension {name[:64]!r}.")
        places[name] = place
    if len({places[name] for name in grouping.by}) < len(grouping.by):
        raise RangeError("groupBy", "`groupBy` names a dimension twice.")
    return places


def labels_sql(grouping: Grouping, places: Places) -> str:
    """SQL: the values to group by, from `known.texts`; an empty array for OTHER, which has none."""
    labels = ", ".join(f"known.texts[{places[name]}]" for name in grouping.by)
    return f"CASE WHEN known.texts IS NULL THEN '{{}}' ELSE ARRAY[{labels}]::text[] END"


def only_sql(grouping: Grouping, places: Places, parameters: Parameters) -> str:
    """A WHERE on `texts`, which are null for OTHER."""
    wanted: dict[int, list[str | None]] = {}
    for value in grouping.only:
        wanted.setdefault(places[value.property], []).append(value.value)
    conditions = []
    for place, values in wanted.items():
        texts = tuple(value for value in values if value is not None)
        equal = f"texts[{place}] = ANY({parameters.add(texts, 'text[]')})"
        missing = f"texts[{place}] IS NULL" if None in values else "FALSE"
        conditions.append(f"(coalesce({equal}, FALSE) OR {missing})")
    return f"WHERE texts IS NOT NULL AND {' AND '.join(conditions)}" if conditions else ""
