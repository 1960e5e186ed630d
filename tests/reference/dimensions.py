"""The reference of dimensions: the text of a property, and the filter that matches it."""

from decimal import Decimal
from typing import Any

from tests.reference.filters import text_of
from tests.reference.values import number_in_string, property_of


def dimension(event: dict[str, Any], name: str) -> str | None:
    """The value of a dimension: the text of a string, number or boolean; None for all else."""
    value = property_of(event, name)
    return text_of(value) if isinstance(value, str | bool | Decimal) else None


def matching(name: str, text: str | None, others: set[str]) -> dict[str, Any]:
    """The filter of the events whose dimension has this text; None is none of the `others`."""
    if text is None:
        none = [negated(matching(name, other, set())) for other in sorted(others)]
        return {"conjunction": "AND", "clauses": [{"filter": each} for each in none]}
    clauses = [clause(name, "EQUALS", text)]
    number = number_in_string(text)
    if text in {"true", "false"}:
        clauses.append(clause(name, "EQUALS", text == "true"))
    elif number is not None and text_of(number) == text:
        # Every string contains the empty one, and a number does not.
        is_number = [clause(name, "EQUALS", number), clause(name, "NOT_CONTAINS", "")]
        clauses.append({"filter": {"conjunction": "AND", "clauses": is_number}})
    return {"conjunction": "OR", "clauses": clauses}


def clause(name: str, operator: str, value: str | bool | Decimal) -> dict[str, Any]:
    return {"clause": {"property": name, "operator": operator, "value": value}}


def negated(filter_: dict[str, Any]) -> dict[str, Any]:
    """The complement of a filter of `matching`, by De Morgan's laws."""
    opposite = {"EQUALS": "NOT_EQUALS", "NOT_CONTAINS": "CONTAINS"}
    clauses = [
        {"filter": negated(node["filter"])}
        if "filter" in node
        else {"clause": {**node["clause"], "operator": opposite[node["clause"]["operator"]]}}
        for node in filter_["clauses"]
    ]
    conjunction = "OR" if filter_["conjunction"] == "AND" else "AND"
    return {"conjunction": conjunction, "clauses": clauses}
