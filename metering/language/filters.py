"""Filters: data classes for which events a meter counts.

The stored form is that of the API's input: {"conjunction": "AND", "clauses": [{"clause":
{"property", "operator", "value"}} | {"filter": …}]}. `metering.language.parsing` reads it.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from metering.language.properties import EventField, property_of

MAXIMUM_LEVELS = 5
MAXIMUM_CLAUSES = 100
MAXIMUM_VALUE = 1_000

ClauseValue = str | bool | Decimal


class Conjunction(StrEnum):
    """How the clauses of a filter are joined."""

    AND = "AND"
    OR = "OR"


class ClauseOperator(StrEnum):
    """How a clause compares a property with a value."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT_EQUALS"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUALS = "GREATER_THAN_OR_EQUALS"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUALS = "LESS_THAN_OR_EQUALS"
    CONTAINS = "CONTAINS"
    NOT_CONTAINS = "NOT_CONTAINS"

    @property
    def is_ordering(self) -> bool:
        """Whether it compares by order."""
        return self.name.startswith(("GREATER_THAN", "LESS_THAN"))

    @property
    def is_containment(self) -> bool:
        """Whether it looks inside a string or an array."""
        return self in {ClauseOperator.CONTAINS, ClauseOperator.NOT_CONTAINS}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. `property` is what the caller wrote."""

    property: str
    operator: ClauseOperator
    value: ClauseValue


@dataclass(frozen=True, slots=True)
class Filter:
    """Clauses and nested filters under one conjunction. An empty filter matches every event."""

    conjunction: Conjunction = Conjunction.AND
    clauses: tuple["Clause | Filter", ...] = ()


def to_json(filter_: Filter) -> dict[str, Any]:
    """The stored form. Numbers are int or Decimal: write it with `models.exact_json`."""
    return {
        "conjunction": filter_.conjunction.value,
        "clauses": [
            {"filter": to_json(node)} if isinstance(node, Filter) else {"clause": _clause(node)}
            for node in filter_.clauses
        ],
    }


def _clause(clause: Clause) -> dict[str, Any]:
    value: str | bool | int | Decimal = clause.value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    return {"property": clause.property, "operator": clause.operator.value, "value": value}


def event_names(filter_: Filter) -> frozenset[str] | None:
    """The names that matching events can have, or None if they can have any name."""
    if not filter_.clauses:
        return None
    names = [
        event_names(node) if isinstance(node, Filter) else _names_of_clause(node)
        for node in filter_.clauses
    ]
    known = [choice for choice in names if choice is not None]
    if filter_.conjunction is Conjunction.AND:
        return frozenset.intersection(*known) if known else None
    return frozenset.union(*known) if len(known) == len(names) else None


def _names_of_clause(clause: Clause) -> frozenset[str] | None:
    if property_of(clause.property) != EventField("name"):
        return None
    if clause.operator is not ClauseOperator.EQUALS:
        return None
    match clause.value:
        case bool():
            return frozenset({"true" if clause.value else "false"})
        case str():
            return frozenset({clause.value})
        case _:
            # 1 equals the names "1", "1.0", "1e0" and so on.
            return None
