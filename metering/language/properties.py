"""Properties of an event: what a clause or an aggregation looks at (design, section 5).

`name` and `timestamp` are the event's own; anything else is metadata. A leading `metadata.` is
dropped and reaches metadata keys of those names. `a.b` is the literal key "a.b" where it is
present and not null, else the key b of the object under a. Arrays are never descended into.
"""

from dataclasses import dataclass
from typing import Literal

from metering.language.numerics import numeric_of_json_sql, numeric_of_text_sql
from metering.language.parameters import Parameters
from metering.texts import text_fault

MAXIMUM_PROPERTY = 256

_PREFIX = "metadata."


@dataclass(frozen=True, slots=True)
class EventField:
    """A property that the event itself has."""

    field: Literal["name", "timestamp"]


@dataclass(frozen=True, slots=True)
class MetadataPath:
    """A key of the metadata; with dots in it also a path through nested objects."""

    key: str

    @property
    def nested(self) -> tuple[str, ...]:
        """The keys of the path, one a level."""
        return tuple(self.key.split("."))


Property = EventField | MetadataPath


def property_of(text: str) -> Property:
    """The property that a clause's or an aggregation's `property` names."""
    if text == "name":
        return EventField("name")
    if text == "timestamp":
        return EventField("timestamp")
    return MetadataPath(text.removeprefix(_PREFIX))


def property_problem(value: object) -> str | None:
    """What is wrong with the text of a property, completing a sentence; None where nothing is."""
    fault = text_fault(value, MAXIMUM_PROPERTY)
    if fault is None and value == _PREFIX:
        return "names no key after “metadata.”."
    return fault and fault[1]


def json_sql(property_: Property, parameters: Parameters) -> str:
    """The property of event `e` as a jsonb expression; NULL or JSON null where it is missing."""
    match property_:
        case EventField(field="name"):
            return "to_jsonb(e.name)"
        case EventField():
            raise ValueError("timestamp is an instant, not a JSON value")
        case MetadataPath(key=key):
            literal = f"e.metadata -> {parameters.add(key, 'text')}"
            if len(property_.nested) == 1:
                return f"({literal})"
            # `-> text` finds keys of objects only; `#> text[]` would also index arrays.
            steps = " -> ".join(parameters.add(step, "text") for step in property_.nested)
            return f"COALESCE(NULLIF({literal}, 'null'::jsonb), e.metadata -> {steps})"


def text_sql(property_: Property, parameters: Parameters) -> str:
    """The property as text: of a string its content, of other JSON its notation, else NULL."""
    if isinstance(property_, EventField):
        return "e.name" if property_.field == "name" else json_sql(property_, parameters)
    if len(property_.nested) == 1:
        return f"(e.metadata ->> {parameters.add(property_.key, 'text')})"
    return f"({json_sql(property_, parameters)} #>> '{{}}')"


def numeric_sql(property_: Property, parameters: Parameters) -> str:
    """The numeric that the property holds, as a number or as a string that writes one, or NULL."""
    text = text_sql(property_, parameters)
    if isinstance(property_, EventField):
        return numeric_of_text_sql(text)
    return numeric_of_json_sql(json_sql(property_, parameters), text)


# Of a JSON text of arrays and objects: strings whole (1), numbers up to their last digit that
# counts (2), and then the zeros that do not.
_INSIGNIFICANT_ZEROS = r'("(?:[^"\\]|\\.)*")|(-?[0-9]+(?:\.[0-9]*[1-9])?)\.?0*'


def key_sql(property_: Property, parameters: Parameters) -> str:
    """A key (bytea) that two properties share exactly when they are equal; NULL for missing ones.

    jsonb's text has its keys in one order and its numbers in one notation up to trailing zeros;
    without those it is the same for equal values only. Hashed, because btree keys must stay small.
    """
    json = json_sql(property_, parameters)
    text = (
        f"CASE jsonb_typeof({json})"
        f" WHEN 'string' THEN ({json})::text"
        f" WHEN 'boolean' THEN ({json})::text"
        f" WHEN 'number' THEN trim_scale(({json})::numeric)::text"
        f" WHEN 'null' THEN NULL"
        rf""" ELSE regexp_replace(({json})::text, '{_INSIGNIFICANT_ZEROS}', '\1\2', 'g') END"""
    )
    return f"sha256(convert_to({text}, 'UTF8'))"
