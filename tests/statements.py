"""The statements that go to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent in the block."""
    statements: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fetch", "fetchrow", "execute"):
            original = getattr(asyncpg.Connection, name)

            def counting(
                self: Any, query: str, *args: Any, _original: Any = original, **kwargs: Any
            ) -> Any:
                statements.append(query)
                return _original(self, query, *args, **kwargs)

            patch.setattr(asyncpg.Connection, name, counting)
        yield statements
