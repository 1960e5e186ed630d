"""What a caller did wrong. `schema.errors` turns it into a UserError of the API."""

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
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the caller can correct. `path` leads to the culprit."""

    code: ProblemCode
    message: str
    path: tuple[str, ...] = ()

    def below(self, *path: str | int) -> "Problem":
        """The problem of something at `path`, as a problem of what it is part of."""
        return replace(self, path=(*map(str, path), *self.path))


class RefusedError(Exception):
    """Nothing was done, because of problems that the caller must correct first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def problem(code: ProblemCode, message: str, *path: str | int) -> Problem:
    """A Problem at `path`."""
    return Problem(code, message, tuple(map(str, path)))


def refuse_any(problems: Iterable[Problem]) -> None:
    """Raises RefusedError if there is a problem."""
    found = tuple(problems)
    if found:
        raise RefusedError(*found)
