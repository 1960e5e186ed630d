"""Collects the statements that the product sends to PostgreSQL while tests run.

Statements of a test itself, such as one that reads what was stored, are not collected. Nor are
those of migrations, which change the rows of all organizations. The nearest function of this
repository that led to a statement tells whose it is.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from metergraph.database.database_connection import DatabaseConnection

_ROOT = str(Path(__file__).resolve().parents[2]) + "/"
_TESTS = (f"{_ROOT}tests/", f"{_ROOT}benchmarks/", f"{_ROOT}scripts/")
_MIGRATIONS = ("/models/migrations/", "/tortoise/migrations/")
# What stands between a function that sends a statement and the connection.
_BETWEEN = (
    f"{_ROOT}metergraph/database/",
    f"{_ROOT}tests/distribution/collecting.py",
    f"{_ROOT}tests/statements.py",
    f"{_ROOT}.venv/",
)
_METHODS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement, and the function that sent it, as `module:qualified.name`."""

    text: str
    sender: str


class Collector:
    """Statements that are new since they were last taken."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._new: list[Sent] = []
        self._senders: dict[CodeType, str | None] = {}

    def take(self) -> list[Sent]:
        """Returns the new statements, each once."""
        taken, self._new = self._new, []
        return taken

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Collects what connections of the product send inside the block."""
        with pytest.MonkeyPatch.context() as patch:
            for name in _METHODS:
                original = getattr(DatabaseConnection, name)

                def noting(
                    connection: Any, text: str, *values: Any, _to: Any = original, **named: Any
                ) -> Any:
                    if text not in self._known:
                        self._note(text, inspect.currentframe())
                    return _to(connection, text, *values, **named)

                patch.setattr(DatabaseConnection, name, noting)
            yield

    def _note(self, text: str, frame: FrameType | None) -> None:
        sender = None
        while frame is not None and sender is None:
            sender = self._sender(frame)
            frame = frame.f_back
        if sender != "":
            self._known.add(text)
            self._new.append(Sent(text, sender or "an unknown function"))

    def _sender(self, frame: FrameType) -> str | None:
        """The function of a frame: "" if it is not collected, None if the frames above tell."""
        code = frame.f_code
        if code not in self._senders:
            self._senders[code] = _name(code, frame)
        return self._senders[code]


def _name(code: CodeType, frame: FrameType) -> str | None:
    if any(folder in code.co_filename for folder in _MIGRATIONS):
        return ""
    if not code.co_filename.startswith(_ROOT) or code.co_filename.startswith(_BETWEEN):
        return None
    if code.co_filename.startswith(_TESTS):
        return ""
    function = code.co_qualname.split(".<locals>")[0]
    return f"{frame.f_globals['__name__']}:{function}"
