"""What is read as a filter, and what is said of what is none."""

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from metering.language.filters import (
    Clause,
    ClauseOperator,
    Conjunction,
    Filter,
    event_names,
    to_json,
)
from metering.language.parsing import parse_filter
from metering.problems import Problem
from tests.reference.sql import parsed


def clause(**parts: Any) -> dict[str, Any]:
    return {"clause": {"property": "n", "operator": "EQUALS", **parts}}


def nested(levels: int) -> dict[str, Any]:
    innermost: dict[str, Any] = {"conjunction": "AND", "clauses": [clause(value=1)]}
    for _ in range(levels - 1):
        innermost = {"conjunction": "AND", "clauses": [{"filter": innermost}]}
    return innermost


def problems(*nodes: Any) -> list[Problem]:
    found = parse_filter({"conjunction": "AND", "clauses": list(nodes)})
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ({"value": 1}, Decimal(1)),
        ({"value": 1.5}, Decimal("1.5")),
        ({"value": 0.30000000000000004}, Decimal("0.30000000000000004")),
        ({"value": Decimal("12.50")}, Decimal("12.5")),
        ({"value": True}, True),
        ({"value": "1"}, "1"),
        ({"value": ""}, ""),
        ({"text": "1"}, Decimal(1)),
        ({"text": "-1.5e2"}, Decimal(-150)),
        ({"text": "007"}, "007"),
        ({"text": "1e400"}, "1e400"),
        ({"text": "true"}, True),
        ({"text": "false"}, False),
        ({"text": "True"}, "True"),
        ({"text": "null"}, "null"),
        ({"text": ""}, ""),
        ({"text": "4.10", "operator": "CONTAINS"}, "4.10"),
        ({"text": "true", "operator": "NOT_CONTAINS"}, "true"),
        ({"text": "9", "value": None}, Decimal(9)),
        ({"value": "😀" * 1000}, "😀" * 1000),
    ],
)
def test_values_are_typed(parts: dict[str, Any], value: Any) -> None:
    (found,) = parsed({"conjunction": "AND", "clauses": [clause(**parts)]}).clauses
    assert isinstance(found, Clause)
    assert found.value == value
    assert type(found.value) is type(value)


def test_what_is_left_out_means_every_event() -> None:
    assert parse_filter({}) == Filter()
    assert parse_filter({"conjunction": None, "clauses": None}) == Filter()


def test_members_of_another_enum_are_read_by_name() -> None:
    class Word(Enum):
        OR = 1
        CONTAINS = 2

    found = parse_filter(
        {"conjunction": Word.OR, "clauses": [clause(operator=Word.CONTAINS, value="x")]}
    )
    assert found == Filter(Conjunction.OR, (Clause("n", ClauseOperator.CONTAINS, "x"),))


@pytest.mark.parametrize(
    ("node", "path", "message"),
    [
        (None, (), "Give exactly one of clause and filter."),
        ({}, (), "Give exactly one of clause and filter."),
        ({"clause": {}, "filter": {}}, (), "Give exactly one of clause and filter."),
        ({"clause": 1}, ("clause",), "A clause must be an object"),
        ({"filter": 1}, ("filter",), "A filter must be an object"),
        (
            {"filter": {"conjunction": "XOR"}},
            ("filter", "conjunction"),
            "conjunction must be AND or OR",
        ),
        ({"filter": {"clauses": "x"}}, ("filter", "clauses"), "clauses must be a list."),
        (clause(), ("clause",), "Give exactly one of value and text."),
        (clause(value=1, text="1"), ("clause",), "Give exactly one of value and text."),
        (
            clause(value=1, operator="LIKE"),
            ("clause", "operator"),
            "operator must be one of EQUALS",
        ),
        (clause(value=1, property=None), ("clause", "property"), "property is not a string."),
        (clause(value=1, property="x" * 257), ("clause", "property"), "property has 257 chara"),
        (clause(value=1, property="metadata."), ("clause", "property"), "property names no key"),
        (clause(value=1, property="\ud800"), ("clause", "property"), "property contains a lone"),
        (clause(value="\0"), ("clause", "value"), "value contains a NUL character."),
        (clause(value="\udfff"), ("clause", "value"), "value contains a lone surrogate."),
        (clause(value="x" * 1001), ("clause", "value"), "value has 1,001 characters"),
        (clause(text="x" * 1001), ("clause", "text"), "text has 1,001 characters"),
        (clause(text=1), ("clause", "text"), "text is not a string."),
        (clause(value=[1]), ("clause", "value"), "value is not a string, number or boolean."),
        (clause(value=10**31), ("clause", "value"), "value is a number outside the limits"),
        (clause(value=int("9" * 39)), ("clause", "value"), "value is a number outside the limits"),
        (clause(value=Decimal("1e-31")), ("clause", "value"), "value is a number outside the"),
        (clause(value=float("nan")), ("clause", "value"), "value is a number outside the limits"),
        (clause(value=float("inf")), ("clause", "value"), "value is a number outside the limits"),
        (clause(value=True, operator="LESS_THAN"), ("clause", "value"), "LESS_THAN does not apply"),
        (clause(text="true", operator="LESS_THAN"), ("clause", "text"), "LESS_THAN does not apply"),
        (
            clause(value="2026-03-01T12:00:00", property="timestamp"),
            ("clause", "value"),
            "value has no offset",
        ),
        (clause(text="now", property="timestamp"), ("clause", "text"), "value is not an ISO 8601"),
        (clause(value=True, property="timestamp"), ("clause", "value"), "value is a boolean"),
        (clause(value=10**30, property="timestamp"), ("clause", "value"), "value lies outside"),
        (
            clause(value="0001-01-01T00:00:00+14:00", property="timestamp"),
            ("clause", "value"),
            "value lies outside",
        ),
        (
            clause(value="2026", property="timestamp", operator="CONTAINS"),
            ("clause", "operator"),
            "CONTAINS does not apply to timestamp.",
        ),
    ],
)
def test_what_is_wrong(node: Any, path: tuple[str, ...], message: str) -> None:
    (problem,) = problems(node)
    assert problem.path == ("clauses", "0", *path)
    assert problem.message.startswith(message)


def test_all_problems_are_said_at_once() -> None:
    found = problems(clause(value="\0", operator="LIKE"), clause(value=1), clause(text=1))
    assert [problem.path for problem in found] == [
        ("clauses", "0", "clause", "operator"),
        ("clauses", "0", "clause", "value"),
        ("clauses", "2", "clause", "text"),
    ]


def test_what_is_no_filter_at_all() -> None:
    nothings: list[Any] = [None, 1, "x", []]
    for data in nothings:
        assert parse_filter(data) == [
            Problem("INVALID", "A filter must be an object with conjunction and clauses.")
        ]


def test_five_levels_and_no_more() -> None:
    assert isinstance(parse_filter(nested(5)), Filter)
    (problem,) = problems(*nested(6)["clauses"])
    assert problem.message == "Filters are nested deeper than 5 levels."
    assert isinstance(parse_filter(nested(500)), list)


def test_a_hundred_clauses_and_no_more() -> None:
    assert len(parsed({"clauses": [clause(value=1)] * 100}).clauses) == 100
    assert problems(*[clause(value=1)] * 101) == [
        Problem("INVALID", "101 clauses; at most 100 are allowed.", ("clauses",))
    ]
    halves = [{"filter": {"clauses": [clause(value=1)] * count}} for count in (50, 51)]
    assert problems(*halves) == [
        Problem("INVALID", "101 clauses; at most 100 are allowed.", ("clauses",))
    ]


def test_nested_filters_are_limited_too() -> None:
    (problem,) = problems(*[{"filter": {}}] * 10_000)
    assert problem.message == "At most 100 nested filters are allowed."


def test_the_stored_form_keeps_every_digit() -> None:
    value = Decimal("0.1234567890123456789012345678901234567")
    found = parsed({"clauses": [clause(value=value), clause(text="1e3")]})
    assert to_json(found) == {
        "conjunction": "AND",
        "clauses": [clause(value=value), clause(value=1000)],
    }


def name_is(value: Any, operator: str = "EQUALS") -> dict[str, Any]:
    return clause(property="name", operator=operator, value=value)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({}, None),
        ({"clauses": [clause(value=1)]}, None),
        ({"clauses": [name_is("a")]}, {"a"}),
        ({"clauses": [name_is("a"), clause(value=1)]}, {"a"}),
        ({"clauses": [name_is("a"), name_is("b")]}, set()),
        ({"conjunction": "OR", "clauses": [name_is("a"), name_is("b")]}, {"a", "b"}),
        ({"conjunction": "OR", "clauses": [name_is("a"), clause(value=1)]}, None),
        ({"conjunction": "OR", "clauses": [name_is("a"), {"filter": {}}]}, None),
        ({"clauses": [name_is("a", "NOT_EQUALS")]}, None),
        ({"clauses": [name_is(1)]}, None),
        ({"clauses": [name_is(True)]}, {"true"}),
        ({"clauses": [clause(property="metadata.name", value="a")]}, None),
    ],
)
def test_event_names(data: dict[str, Any], names: set[str] | None) -> None:
    assert event_names(parsed(data)) == names
