"""Checks texts from callers: their length and forbidden characters."""

from typing import Any

from metering.problems import Problem, ProblemCode, problem

NAME = 256
DESCRIPTION = 1_000
REASON = 1_000
UNIT = 64
EXTERNAL_ID = 256
EMAIL = 320
ADDRESS = 1_000
URL = 2_048
IDEMPOTENCY_KEY = 255


def text_fault(value: Any, maximum: int, minimum: int = 1) -> tuple[ProblemCode, str] | None:
    """Returns a text's fault: a code, and the rest of a sentence that begins with its name.

    PostgreSQL stores neither a NUL nor half of a surrogate pair.
    """
    if type(value) is not str:
        return "INVALID", "is not a string."
    if not value and minimum:
        return "INVALID", "is empty."
    if not minimum <= len(value) <= maximum:
        return (
            "LIMIT_EXCEEDED",
            f"has {len(value):,} characters; {minimum} to {maximum:,} are allowed.",
        )
    if "\0" in value:
        return "INVALID", "contains a NUL character."
    return ("INVALID", "contains a lone surrogate.") if _has_surrogate(value) else None


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can store the text."""
    return "\0" not in value and not _has_surrogate(value)


def _has_surrogate(value: str) -> bool:
    if value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def name_fault(value: Any, maximum: int) -> tuple[ProblemCode, str] | None:
    """Returns the fault of a name or an id, which must also not be blank."""
    if type(value) is str and value.isspace():
        return "INVALID", "is blank."
    return text_fault(value, maximum)


def name_problems(value: Any, maximum: int, *path: str | int) -> list[Problem]:
    """Returns the problems of a name, an id or a sentence at `path`."""
    fault = name_fault(value, maximum)
    return [] if fault is None else [problem(fault[0], f"{path[-1]} {fault[1]}", *path)]


def given_name_problems(*texts: tuple[str, Any, int]) -> list[Problem]:
    """Returns the problems of each (field, value, maximum) whose value is given."""
    return [
        found
        for field, value, maximum in texts
        if isinstance(value, str)
        for found in name_problems(value, maximum, field)
    ]
