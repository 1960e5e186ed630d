"""The properties of an event that clauses and aggregations read.

`name` and `timestamp` are fields of the event; anything else is a key of its metadata. A leading
`metadata.` is dropped, so `metadata.name` is the metadata key "name". `a.b` is the key "a.b" if it
is present and not null, else the key b of the object under a. A path does not enter arrays.
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
    """A field of the event itself."""

    field: Literal["name", "timestamp"]


@dataclass(frozen=True, slots=True)
class MetadataPath:
    """A key of the metadata. If it has dots, it is also a path through nested objects."""

    key: str

    @property
    def nested(self) -> tuple[str, ...]:
        """Returns the keys of the path, one for each level."""
        return tuple(self.key.split("."))


Property = EventField | MetadataPath


def property_of(text: str) -> Property:
    """Returns the property that a text names."""
    if text == "name":
        return EventField("name")
    if text == "timestamp":
        return EventField("timestamp")
    return MetadataPath(text.removeprefix(_PREFIX))


def property_problem(value: object) -> str | None:
    """What is wrong with a property's text, to complete a sentence; None if it is valid."""
    fault = text_fault(value, MAXIMUM_PROPERTY)
    if fault is None and value == _PREFIX:
        return "names no key after “metadata.”."
    return fault and fault[1]


def json_sql(property_: Property, parameters: Parameters) -> str:
    """SQL: the property of event `e` as jsonb; NULL or JSON null if it is missing."""
    match property_:
        case EventField(field="name"):
            return "to_jsonb(e.name)"
        case EventField():
            raise ValueError("timestamp is an instant, not a JSON value")
        case MetadataPath(key=key):
            literal = f"e.metadata -> {parameters.add(key, 'text')}"
            if len(property_.nested) == 1:
                return f"({literal})"
            # `-> text` finds keys of objects only; `#> text[]` would index arrays too.
            steps = " -> ".join(parameters.add(step, "text") for step in property_.nested)
            return f"COALESCE(NULLIF({literal}, 'null'::jsonb), e.metadata -> {steps})"


def text_sql(property_: Property, parameters: Parameters) -> str:
    """SQL: the property as text: the content of a string, the notation of other JSON, or NULL."""
    if isinstance(property_, EventField):
        return "e.name" if property_.field == "name" else json_sql(property_, parameters)
    if len(property_.nested) == 1:
        return f"(e.metadata ->> {parameters.add(property_.key, 'text')})"
    return f"({json_sql(property_, parameters)} #>> '{{}}')"


def dimension_sql(property_: Property, parameters: Parameters) -> str:
    """SQL: the property as the text of a dimension: of a string, number or boolean; else NULL.

    A number is written without exponent and trailing zeros.
    """
    if isinstance(property_, EventField):
        return text_sql(property_, parameters)
    json = json_sql(property_, parameters)
    text = text_sql(property_, parameters)
    return (
        f"CASE jsonb_typeof({json}) WHEN 'string' THEN {text} WHEN 'boolean' THEN {text}"
        f" WHEN 'number' THEN trim_scale(({json})::numeric)::text END"
    )


def numeric_sql(property_: Property, parameters: Parameters) -> str:
    """SQL: the property as a number, if it is a number or a numeric string; else NULL."""
    text = text_sql(property_, parameters)
    if isinstance(property_, EventField):
        return numeric_of_text_sql(text)
    return numeric_of_json_sql(json_sql(property_, parameters), text)


# In the JSON text of an array or object: a whole string (1), or a number up to its last significant
# digit (2) and the insignificant zeros after it.
_INSIGNIFICANT_ZEROS = r'("(?:[^"\\]|\\.)*")|(-?[0-9]+(?:\.[0-9]*[1-9])?)\.?0*'


def key_sql(property_: Property, parameters: Parameters) -> str:
    """SQL: a key (bytea) that equal values and only they share; NULL if the property is missing.

    PostgreSQL writes equal jsonb values alike except for trailing zeros of numbers, so the key is
    a hash of the text without those. It is a hash because an index entry must be small.
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
