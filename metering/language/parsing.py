"""Reads filters and aggregations from JSON, and returns all problems if they are invalid.

A clause has a `value`, or a `text` as a person types it. A text is read as a JSON number, else as
true or false, else as a string. With CONTAINS and NOT_CONTAINS it is always a string.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

from metering.language.aggregations import CARRYING_OVER, Aggregation, AggregationFunction
from metering.language.filters import (
    MAXIMUM_CLAUSES,
    MAXIMUM_LEVELS,
    MAXIMUM_VALUE,
    Clause,
    ClauseOperator,
    ClauseValue,
    Conjunction,
    Filter,
)
from metering.language.instants import parse_instant
from metering.language.metadata import (
    MAXIMUM_DIGITS,
    MAXIMUM_EXPONENT,
    within_number_limits,
)
from metering.language.numerics import number_of_text
from metering.language.properties import EventField, property_of, property_problem
from metering.problems import Problem, ProblemCode, problem
from metering.texts import text_fault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPERATORS = ", ".join(ClauseOperator)


def parse_filter(data: Any) -> Filter | list[Problem]:
    """Returns the filter in the data, or a list of all its problems.

    A number may be an int, a Decimal or a float; an enum may be its member or the member's name. A
    key with the value None counts as absent. The limits are 5 levels, 100 clauses, strings of 1,000
    characters, and those of numbers in metadata.
    """
    reading = _Reading()
    filter_ = reading.filter(data, (), 1)
    if reading.clauses > MAXIMUM_CLAUSES:
        reading.errors.append(
            problem(
                "INVALID",
                f"{reading.clauses:,} clauses; at most {MAXIMUM_CLAUSES} are allowed.",
                "clauses",
            )
        )
    return reading.errors or filter_


def stored_filter(data: Any) -> Filter:
    """Reads the filter of a stored meter. Raises ValueError if it is invalid, which is a bug."""
    filter_ = parse_filter(data)
    if isinstance(filter_, Filter):
        return filter_
    raise ValueError(f"a stored filter is invalid: {filter_}")


def instant_of(value: ClauseValue) -> datetime:
    """Reads the instant in a clause on `timestamp`: ISO 8601 with an offset, or epoch seconds.

    Cuts off digits finer than a microsecond. Raises ValueError for anything else; its message
    completes a sentence.
    """
    match value:
        case bool():
            raise ValueError("is a boolean; a timestamp is ISO 8601 or epoch seconds")
        case str():
            return parse_instant(value)
        case Decimal():
            try:
                return _EPOCH + timedelta(microseconds=int(Fraction(value) * 1_000_000))
            except OverflowError:
                raise ValueError("lies outside the years 1 to 9999 in UTC") from None


@dataclass(slots=True)
class _Reading:
    """Collects errors and counts clauses while a filter is read."""

    errors: list[Problem] = field(default_factory=list)
    clauses: int = 0
    filters: int = 0

    def error(self, path: tuple[str, ...], message: str, code: ProblemCode = "INVALID") -> None:
        self.errors.append(Problem(code, message, path))

    def filter(self, data: Any, path: tuple[str, ...], level: int) -> Filter:
        if not isinstance(data, Mapping):
            self.error(path, "A filter must be an object with conjunction and clauses.")
            return Filter()
        if level > MAXIMUM_LEVELS:
            self.error(path, f"Filters are nested deeper than {MAXIMUM_LEVELS} levels.")
            return Filter()
        conjunction = _member(Conjunction, data.get("conjunction") or Conjunction.AND)
        if conjunction is None:
            self.error((*path, "conjunction"), "conjunction must be AND or OR.")
            conjunction = Conjunction.AND
        nodes = data.get("clauses")
        if nodes is None:
            nodes = ()
        if not isinstance(nodes, Sequence) or isinstance(nodes, str):
            self.error((*path, "clauses"), "clauses must be a list.")
            nodes = ()
        parsed = [
            self.node(node, (*path, "clauses", str(index)), level)
            for index, node in enumerate(nodes)
        ]
        return Filter(conjunction, tuple(node for node in parsed if node is not None))

    def node(self, data: Any, path: tuple[str, ...], level: int) -> Clause | Filter | None:
        clause = data.get("clause") if isinstance(data, Mapping) else None
        nested = data.get("filter") if isinstance(data, Mapping) else None
        if (clause is None) == (nested is None):
            self.error(path, "Give exactly one of clause and filter.")
            return None
        if nested is not None:
            self.filters += 1
            if self.filters > MAXIMUM_CLAUSES:
                if self.filters == MAXIMUM_CLAUSES + 1:
                    self.error(path, f"At most {MAXIMUM_CLAUSES} nested filters are allowed.")
                return None
            return self.filter(nested, (*path, "filter"), level + 1)
        self.clauses += 1
        if self.clauses > MAXIMUM_CLAUSES:
            return None
        return self.clause(clause, (*path, "clause"))

    def clause(self, data: Any, path: tuple[str, ...]) -> Clause | None:
        if not isinstance(data, Mapping):
            self.error(path, "A clause must be an object with property, operator and value.")
            return None
        before = len(self.errors)
        name = data.get("property")
        problem = property_problem(name)
        if problem:
            self.error((*path, "property"), f"property {problem}")
        operator = _member(ClauseOperator, data.get("operator"))
        if operator is None:
            self.error((*path, "operator"), f"operator must be one of {_OPERATORS}.")
        value = self.value(data, path, operator)
        if operator is None or value is None or len(self.errors) > before:
            return None
        clause = Clause(str(name), operator, value)
        mismatch = _mismatch(clause, "text" if data.get("value") is None else "value")
        if mismatch:
            self.error((*path, mismatch[0]), mismatch[1])
            return None
        return clause

    def value(
        self, data: Mapping[str, Any], path: tuple[str, ...], operator: ClauseOperator | None
    ) -> ClauseValue | None:
        value, text = data.get("value"), data.get("text")
        if (value is None) == (text is None):
            self.error(path, "Give exactly one of value and text.")
            return None
        if text is not None:
            fault = text_fault(text, MAXIMUM_VALUE, minimum=0)
            if fault:
                self.error((*path, "text"), f"text {fault[1]}", fault[0])
                return None
            return _typed(text, operator)
        if isinstance(value, str) and (fault := text_fault(value, MAXIMUM_VALUE, minimum=0)):
            self.error((*path, "value"), f"value {fault[1]}", fault[0])
            return None
        try:
            return _value(value)
        except ValueError as error:
            self.error((*path, "value"), f"value {error}")
            return None


def _mismatch(clause: Clause, value_key: str) -> tuple[str, str] | None:
    """Says why operator, property and value do not fit together: a key and a message."""
    if property_of(clause.property) == EventField("timestamp"):
        if clause.operator.is_containment:
            return "operator", f"{clause.operator} does not apply to timestamp."
        try:
            instant_of(clause.value)
        except ValueError as error:
            return value_key, f"value {error}."
    elif clause.operator.is_ordering and isinstance(clause.value, bool):
        return value_key, f"{clause.operator} does not apply to booleans."
    return None


def _typed(text: str, operator: ClauseOperator | None) -> ClauseValue:
    if operator is not None and operator.is_containment:
        return text
    number = number_of_text(text)
    if number is not None:
        return number
    return text == "true" if text in {"true", "false"} else text


def _value(value: Any) -> ClauseValue:
    match value:
        case bool():
            return value
        case str():
            return value
        case int() | Decimal() | float():
            # repr gives the shortest decimal that parses to this float, so what the caller wrote.
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            if not within_number_limits(number):
                raise ValueError(
                    f"is a number outside the limits: at most {MAXIMUM_DIGITS} significant "
                    f"digits, a decimal exponent within ±{MAXIMUM_EXPONENT}."
                )
            return number
        case _:
            raise ValueError("is not a string, number or boolean.")


_Member = TypeVar("_Member", bound=Enum)


def _member(enum: type[_Member], value: Any) -> _Member | None:
    # The caller may have an enum of its own with the same names.
    name = value.name if isinstance(value, Enum) else value
    return enum.__members__.get(name) if isinstance(name, str) else None


def parse_aggregation(data: Any) -> Aggregation | list[Problem]:
    """Returns the aggregation in {"function", "property", "carriesOver"}, or its problem."""
    if not isinstance(data, Mapping):
        return [problem("INVALID", "An aggregation must be an object with function and property.")]
    function = _member(AggregationFunction, data.get("function"))
    if function is None:
        message = f"function must be one of {', '.join(AggregationFunction)}."
        return [problem("INVALID", message, "function")]
    named = data.get("property")
    refusal = _property_message(function, named)
    if refusal:
        return [problem("INVALID", refusal, "property")]
    carries_over = data.get("carriesOver")
    if carries_over and function not in CARRYING_OVER:
        message = f"Only {' and '.join(CARRYING_OVER)} can carry over."
        return [problem("INVALID", message, "carriesOver")]
    return Aggregation(function, named, bool(carries_over))


def _property_message(function: AggregationFunction, named: Any) -> str | None:
    if not function.calculation.takes_property:
        return None if named is None else f"{function} takes no property."
    if named is None:
        return f"{function} needs a property."
    problem = property_problem(named)
    if problem:
        return f"property {problem}"
    if property_of(named) == EventField("timestamp"):
        return "timestamp cannot be aggregated."
    return None
