"""Compiles a filter to one SQL predicate over a row `e` of table event (design, section 5).

The predicate is true or false, never NULL, so that NOT is an exact complement, and it never
raises, whatever the metadata holds. Property paths, names and values are bound, never pasted in.
"""

from datetime import datetime
from decimal import Decimal

from metering.language.filters import Clause, ClauseOperator, ClauseValue, Conjunction, Filter
from metering.language.numerics import numeric_of_json_sql, text_of_number
from metering.language.parameters import Parameters
from metering.language.parsing import instant_of
from metering.language.properties import (
    EventField,
    MetadataPath,
    Property,
    json_sql,
    numeric_sql,
    property_of,
    text_sql,
)

_SYMBOLS = {
    ClauseOperator.EQUALS: "=",
    ClauseOperator.NOT_EQUALS: "<>",
    ClauseOperator.GREATER_THAN: ">",
    ClauseOperator.GREATER_THAN_OR_EQUALS: ">=",
    ClauseOperator.LESS_THAN: "<",
    ClauseOperator.LESS_THAN_OR_EQUALS: "<=",
}


def predicate_sql(filter_: Filter, parameters: Parameters) -> str:
    """A boolean SQL expression over `e`; what it binds is added to `parameters`."""
    if not filter_.clauses:
        return "TRUE"
    parts = [
        predicate_sql(node, parameters) if isinstance(node, Filter) else _clause(node, parameters)
        for node in filter_.clauses
    ]
    if len(parts) == 1:
        return parts[0]
    joint = " AND " if filter_.conjunction is Conjunction.AND else " OR "
    return "(" + joint.join(parts) + ")"


def _clause(clause: Clause, parameters: Parameters) -> str:
    property_ = property_of(clause.property)
    if property_ == EventField("timestamp"):
        # Plain comparisons of the columns, so that the indexes on them serve.
        instant: datetime = instant_of(clause.value)
        symbol = _SYMBOLS[clause.operator]
        return f"e.timestamp {symbol} {parameters.add(instant, 'timestamptz')}"
    match clause.operator:
        case ClauseOperator.EQUALS:
            return _equals(property_, clause.value, parameters)
        case ClauseOperator.NOT_EQUALS:
            return f"NOT ({_equals(property_, clause.value, parameters)})"
        case ClauseOperator.CONTAINS:
            return _contains(property_, clause.value, parameters)
        case ClauseOperator.NOT_CONTAINS:
            return f"NOT ({_contains(property_, clause.value, parameters)})"
        case _:
            return _ordered(property_, clause, parameters)


def _equals(property_: Property, value: ClauseValue, parameters: Parameters) -> str:
    match value:
        case bool():
            # Only true and "true" have the text true: objects and arrays begin with a bracket.
            text = text_sql(property_, parameters)
            return f"COALESCE({text} = '{'true' if value else 'false'}', FALSE)"
        case Decimal():
            number = parameters.add(value, "numeric")
            return f"COALESCE({numeric_sql(property_, parameters)} = {number}, FALSE)"
        case str() if isinstance(property_, EventField):
            return f"e.name = {parameters.add(value, 'text')}"
        case str():
            text = text_sql(property_, parameters)
            json = json_sql(property_, parameters)
            equal = f"{text} = {parameters.add(value, 'text')}"
            return f"COALESCE({equal} AND jsonb_typeof({json}) = 'string', FALSE)"


def _ordered(property_: Property, clause: Clause, parameters: Parameters) -> str:
    symbol = _SYMBOLS[clause.operator]
    match clause.value:
        case bool():
            raise ValueError("a boolean cannot be ordered; parsing refuses it")
        case Decimal() as number:
            bound = parameters.add(number, "numeric")
            return f"COALESCE({numeric_sql(property_, parameters)} {symbol} {bound}, FALSE)"
        case str() as text:
            # Bytes of UTF-8 sort as code points do.
            bound = parameters.add(text, "text")
            compared = f'{text_sql(property_, parameters)} COLLATE "C" {symbol} {bound}'
            if isinstance(property_, EventField):
                return compared
            json = json_sql(property_, parameters)
            return f"COALESCE({compared} AND jsonb_typeof({json}) = 'string', FALSE)"


def _contains(property_: Property, value: ClauseValue, parameters: Parameters) -> str:
    text = text_sql(property_, parameters)
    part = parameters.add(_text_of(value), "text")
    within = f'strpos({text} COLLATE "C", {part}) > 0'
    if not isinstance(property_, MetadataPath):
        return within
    json = json_sql(property_, parameters)
    return (
        f"CASE jsonb_typeof({json}) WHEN 'string' THEN {within}"
        f" WHEN 'array' THEN {_has_element(json, value, parameters)} ELSE FALSE END"
    )


def _has_element(array: str, value: ClauseValue, parameters: Parameters) -> str:
    """Whether an element of the array equals the value. `@>` of a scalar asks just that."""
    match value:
        case bool():
            word = "true" if value else "false"
            return f"""({array} @> '{word}' OR {array} @> '"{word}"')"""
        case str():
            return f"{array} @> to_jsonb({parameters.add(value, 'text')})"
        case Decimal():
            number = parameters.add(value, "numeric")
            element = numeric_of_json_sql("element.value", "(element.value #>> '{}')")
            # The function raises on what is no array, and may be asked before the outer CASE.
            elements = f"CASE jsonb_typeof({array}) WHEN 'array' THEN {array} ELSE '[]' END"
            return (
                f"EXISTS (SELECT FROM jsonb_array_elements({elements}) AS element (value)"
                f" WHERE COALESCE({element} = {number}, FALSE))"
            )


def _text_of(value: ClauseValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return text_of_number(value)
        case str():
            return value
