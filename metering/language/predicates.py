"""Compiles a filter to one SQL predicate over a row `e` of table event.

The predicate is true or false, never NULL, so NOT is its exact complement. It never raises: every
cast stands in a CASE behind the test that makes it safe. Paths, names and values are bound.
"""

from decimal import Decimal

from metering.language.filters import Clause, ClauseOperator, ClauseValue, Conjunction, Filter
from metering.language.numerics import numeric_of_json_sql, text_of_number
from metering.language.parameters import Parameters
from metering.language.parsing import instant_of
from metering.language.properties import (
    EventField,
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
    """Returns a boolean SQL expression over `e`; adds the values that it binds to `parameters`."""
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
        # A plain comparison of the column, so that its index can be used.
        instant = parameters.add(instant_of(clause.value), "timestamptz")
        return f"e.timestamp {_SYMBOLS[clause.operator]} {instant}"
    match clause.operator:
        case ClauseOperator.NOT_EQUALS:
            return f"NOT ({_compared(property_, '=', clause.value, parameters)})"
        case ClauseOperator.CONTAINS:
            return _contains(property_, clause.value, parameters)
        case ClauseOperator.NOT_CONTAINS:
            return f"NOT ({_contains(property_, clause.value, parameters)})"
        case _:
            return _compared(property_, _SYMBOLS[clause.operator], clause.value, parameters)


def _compared(property_: Property, symbol: str, value: ClauseValue, parameters: Parameters) -> str:
    """Compares the property with a value; false if the property is of another kind."""
    match value:
        case bool():
            if symbol != "=":
                raise ValueError("a boolean cannot be ordered; parsing refuses it")
            # Only true and "true" have the text true: objects and arrays begin with a bracket.
            return f"COALESCE({text_sql(property_, parameters)} = '{_text_of(value)}', FALSE)"
        case Decimal():
            number = parameters.add(value, "numeric")
            return f"COALESCE({numeric_sql(property_, parameters)} {symbol} {number}, FALSE)"
        case str():
            # Bytes of UTF-8 sort as code points do. Equality needs no order, and may use an index.
            order = "" if symbol == "=" else ' COLLATE "C"'
            bound = parameters.add(value, "text")
            compared = f"{text_sql(property_, parameters)}{order} {symbol} {bound}"
            if isinstance(property_, EventField):
                return compared
            json = json_sql(property_, parameters)
            return f"COALESCE({compared} AND jsonb_typeof({json}) = 'string', FALSE)"


def _contains(property_: Property, value: ClauseValue, parameters: Parameters) -> str:
    """Whether a string contains the value's text, or an array an element equal to the value."""
    text = text_sql(property_, parameters)
    within = f'strpos({text} COLLATE "C", {parameters.add(_text_of(value), "text")}) > 0'
    if isinstance(property_, EventField):
        return within
    json = json_sql(property_, parameters)
    return (
        f"CASE jsonb_typeof({json}) WHEN 'string' THEN {within}"
        f" WHEN 'array' THEN {_has_element(json, value, parameters)} ELSE FALSE END"
    )


def _has_element(array: str, value: ClauseValue, parameters: Parameters) -> str:
    """Whether an element of the array equals the value; for a scalar, `@>` tests exactly that."""
    match value:
        case bool():
            word = _text_of(value)
            return f"""({array} @> '{word}' OR {array} @> '"{word}"')"""
        case str():
            return f"{array} @> to_jsonb({parameters.add(value, 'text')})"
        case Decimal():
            number = parameters.add(value, "numeric")
            element = numeric_of_json_sql("element.value", "(element.value #>> '{}')")
            # jsonb_array_elements raises for anything but an array, and PostgreSQL may evaluate it
            # before the outer CASE.
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
