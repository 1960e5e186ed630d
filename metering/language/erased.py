"""SQL: what a meter counts of an event whose metadata was erased with its customer.

Metadata is a JSON object. Erasing replaces it by an array of one object, which has what meters
count of the event: by the key of each definition that the event matches, the value that is
aggregated. This is a number, the hash of a UNIQUE meter's value in hexadecimal, or null if there is
nothing to aggregate. A property of such an event is missing, as any key of an array is.
"""

import hashlib
from collections.abc import Iterable

from metering.language.definition import MeterDefinition
from metering.language.filters import Clause, Conjunction, Filter, to_json
from metering.language.parameters import Parameters
from metering.language.predicates import predicate_sql
from metering.language.properties import MetadataPath, property_of
from models import exact_json

IS_ERASED = "jsonb_typeof(e.metadata) = 'array'"
"""SQL: whether the metadata of event `e` was erased."""

SHOWN_METADATA = f"CASE WHEN {IS_ERASED} THEN '{{}}'::jsonb ELSE e.metadata END"
"""SQL: the metadata of event `e`, empty if it was erased."""


def shown_metadata(stored: str) -> str:
    """Returns stored metadata (JSON text) as it is shown: empty if it was erased."""
    return "{}" if stored.startswith("[") else stored


_KEPT = "(e.metadata -> 0)"
_KEY_LENGTH = 24


def definition_key(meter: MeterDefinition) -> str:
    """The key of the meter's filter and aggregation. It is stored, so it must not change."""
    aggregation = meter.aggregation
    definition = [to_json(meter.filter), aggregation.function.value, aggregation.property]
    return hashlib.sha256(exact_json.dumps(definition).encode()).hexdigest()[:_KEY_LENGTH]


def key_of_reading(meter: MeterDefinition) -> str | None:
    """The key of the meter's definition, or None if it reads no metadata."""
    return definition_key(meter) if reads_metadata(meter) else None


def reads_metadata(meter: MeterDefinition) -> bool:
    """Whether the meter's filter or value depends on metadata."""
    return filters_metadata(meter.filter) or _aggregates_metadata(meter)


def filters_metadata(node: Clause | Filter) -> bool:
    """Whether a filter, or a clause of one, depends on metadata."""
    if isinstance(node, Filter):
        return any(map(filters_metadata, node.clauses))
    return isinstance(property_of(node.property), MetadataPath)


def counted_sql(meter: MeterDefinition, parameters: Parameters) -> str:
    """Returns a boolean SQL expression over `e`: whether the meter counts the event."""
    if not filters_metadata(meter.filter):
        return predicate_sql(meter.filter, parameters)
    plain, rest = _parts(meter.filter)
    key = parameters.add(definition_key(meter), "text")
    # Clauses on the name and the time stay outside, so that their indexes can be used.
    return (
        f"({predicate_sql(plain, parameters)} AND CASE WHEN {IS_ERASED} THEN {_KEPT} ? {key}"
        f" ELSE {predicate_sql(rest, parameters)} END)"
    )


def counted_value_sql(meter: MeterDefinition, parameters: Parameters) -> str:
    """Returns the value of an event `e` that the meter counts; NULL if the event is skipped."""
    value = meter.aggregation.value_sql(parameters)
    if not _aggregates_metadata(meter):
        return value
    kept = f"{_KEPT} ->> {parameters.add(definition_key(meter), 'text')}"
    kept = f"decode({kept}, 'hex')" if meter.keeps_values else f"({kept})::numeric"
    return f"CASE WHEN {IS_ERASED} THEN {kept} ELSE {value} END"


def unerased_sql(filter_: Filter, parameters: Parameters) -> str:
    """Returns the filter's predicate over `e`. It leaves out erased events if it reads metadata."""
    predicate = predicate_sql(filter_, parameters)
    return f"({predicate} AND NOT {IS_ERASED})" if filters_metadata(filter_) else predicate


def kept_sql(meter: MeterDefinition, parameters: Parameters) -> str:
    """Returns an object (jsonb) over `e`, which is not erased: what to keep of it for a meter."""
    value = meter.aggregation.value_sql(parameters)
    kept = f"encode({value}, 'hex')" if meter.keeps_values else value
    key = parameters.add(definition_key(meter), "text")
    return (
        f"CASE WHEN {predicate_sql(meter.filter, parameters)}"
        f" THEN jsonb_build_object({key}, {kept}) ELSE '{{}}' END"
    )


def _aggregates_metadata(meter: MeterDefinition) -> bool:
    named = meter.aggregation.property
    takes = meter.aggregation.function.calculation.takes_property
    return takes and named is not None and isinstance(property_of(named), MetadataPath)


def _parts(filter_: Filter) -> tuple[Filter, Filter]:
    """Divides a filter into two that both must match: one without metadata, and the rest."""
    if filter_.conjunction is Conjunction.OR:
        return Filter(), filter_
    return (
        _all_of(node for node in filter_.clauses if not filters_metadata(node)),
        _all_of(node for node in filter_.clauses if filters_metadata(node)),
    )


def _all_of(nodes: Iterable[Clause | Filter]) -> Filter:
    return Filter(clauses=tuple(nodes))
