"""What a caller of billing did wrong, as values with a path from the mutation's input."""

from dataclasses import dataclass
from typing import Literal

ProblemCode = Literal["INVALID", "NOT_FOUND", "ALREADY_EXISTS", "IN_USE", "LIMIT_EXCEEDED"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the caller can mend. `path` leads from the input to the culprit."""

    code: ProblemCode
    message: str
    path: tuple[str, ...]


class RefusedError(Exception):
    """An action that the caller must mend; nothing of it was stored."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def problem(code: ProblemCode, message: str, *path: str | int) -> Problem:
    """A Problem at `path`."""
    return Problem(code, message, tuple(str(step) for step in path))
