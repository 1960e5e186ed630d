"""Dimensions: properties by whose values a meter keeps its usage."""

from collections.abc import Sequence

from metering.language.properties import EventField, property_of, property_problem
from metering.problems import Problem, problem

MAXIMUM_DIMENSIONS = 5


def dimension_problems(names: Sequence[str]) -> list[Problem]:
    """Returns what is wrong with a meter's dimensions."""
    if len(names) > MAXIMUM_DIMENSIONS:
        message = f"{len(names):,} dimensions; at most {MAXIMUM_DIMENSIONS} are allowed."
        return [problem("LIMIT_EXCEEDED", message, "dimensions")]
    problems = []
    for place, name in enumerate(names):
        fault = property_problem(name)
        if fault is None and property_of(name) == EventField("timestamp"):
            fault = "cannot be timestamp. Usage over time has intervals."
        if fault is None and property_of(name) in map(property_of, names[:place]):
            fault = "is given twice."
        if fault is not None:
            problems.append(problem("INVALID", f"A dimension {fault}", "dimensions", place))
    return problems
