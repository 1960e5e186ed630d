"""Keyset pagination: a cursor holds the sort key at which a page ended, not a number of rows.

So pages are stable while rows stream in, and the hundredth costs as much as the first. All columns
of a keyset have the same direction, and together they are unique. A cursor is opaque to clients:
base64url of a JSON list of the columns' values.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

Row = TypeVar("Row")

_MAX_CURSOR = 1000
_END_OF_BIGINT = 2**63


class CursorError(ValueError):
    """Raised for a cursor that this keyset did not make."""


@dataclass(frozen=True)
class KeyColumn:
    """A column of a sort key: its name in rows, its SQL type, and how to parse its text."""

    name: str
    sql_type: str
    read: Callable[[str], Any]


def uuid_key(name: str = "id") -> KeyColumn:
    """A UUID column; version 7 ids run in the order of creation."""
    return KeyColumn(name, "uuid", UUID)


def instant_key(name: str) -> KeyColumn:
    """A timestamptz column."""
    return KeyColumn(name, "timestamptz", _read_instant)


def amount_key(name: str) -> KeyColumn:
    """A bigint column of minor units."""
    return KeyColumn(name, "bigint", _read_amount)


def _read_amount(text: str) -> int:
    amount = int(text)
    if abs(amount) >= _END_OF_BIGINT:
        raise ValueError("a cursor's amount is out of range")
    return amount


def _read_instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a cursor's instant has an offset")
    return instant


@dataclass(frozen=True)
class Keyset:
    """The order of a list: its columns, and whether it is descending."""

    columns: tuple[KeyColumn, ...]
    descending: bool = False

    def cursor(self, row: Any) -> str:
        """The cursor of a row, which is a mapping or has the columns as attributes."""
        values = [str(_value(row, column.name)) for column in self.columns]
        text = json.dumps(values, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    def place(self, cursor: str) -> tuple[Any, ...]:
        """Returns the values in a cursor; raises CursorError."""
        if len(cursor) > _MAX_CURSOR:
            raise CursorError(cursor)
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            values = json.loads(text)
            if not isinstance(values, list) or len(values) != len(self.columns):
                raise CursorError(cursor)
            return tuple(
                column.read(value) for column, value in zip(self.columns, values, strict=True)
            )
        except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
            raise CursorError(cursor) from None


def _value(row: Any, name: str) -> Any:
    try:
        return row[name]
    except TypeError:
        return getattr(row, name)


@dataclass(frozen=True)
class PageRequest:
    """The requested part of a list: `size` rows from one end of (after, before)."""

    size: int
    backward: bool = False
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Bounds:
    """The places between which a page lies, and the end from which it is read."""

    after: tuple[Any, ...] | None
    before: tuple[Any, ...] | None
    backward: bool


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list, in the list's order even if it was read backwards."""

    rows: Sequence[Row]
    cursor: Callable[[Row], str]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]


def bounds_of(keyset: Keyset, request: PageRequest) -> Bounds:
    """Returns the places in a request's cursors; raises CursorError."""
    return Bounds(
        after=None if request.after is None else keyset.place(request.after),
        before=None if request.before is None else keyset.place(request.before),
        backward=request.backward,
    )


def page_of(
    keyset: Keyset,
    request: PageRequest,
    found: Sequence[Row],
    count: Callable[[], Awaitable[int]],
) -> Page[Row]:
    """Makes the requested page of the rows found, which include one extra row if there are more."""
    more = len(found) > request.size
    rows = list(found[: request.size])
    if request.backward:
        rows.reverse()
    return Page(
        rows=rows,
        cursor=keyset.cursor,
        has_next=(request.before is not None) if request.backward else more,
        has_previous=more if request.backward else (request.after is not None),
        count=count,
    )
