"""Problems that a caller can correct. `schema.errors` turns them into UserErrors of the API."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

ProblemCode = Literal[
    "INVALID",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "CONFLICT",
    "METER_LOCKED",
    "IN_USE",
    "LIMIT_EXCEEDED",
    "EVENTS_ARCHIVED",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that the caller can correct. `path` leads to its cause."""

    code: ProblemCode
    message: str
    path: tuple[str, ...] = ()

    def below(self, *path: str | int) -> "Problem":
        """Returns the same problem with `path` in front of its own path."""
        return replace(self, path=(*map(str, path), *self.path))


class RefusedError(Exception):
    """Nothing was done; the caller must correct these problems first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def problem(code: ProblemCode, message: str, *path: str | int) -> Problem:
    """Makes a Problem at `path`."""
    return Problem(code, message, tuple(map(str, path)))


def refuse_any(problems: Iterable[Problem]) -> None:
    """Raises RefusedError if there are problems."""
    found = tuple(problems)
    if found:
        raise RefusedError(*found)
