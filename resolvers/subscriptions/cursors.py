"""Writes and reads cursors of subscriptions, which are opaque to clients."""

import base64
import binascii
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from metering.live.change_feed import Cursor, CursorLostError, Entry
from metering.live.timelines import Column, check_events_follow, check_number
from schema.context import Context
from schema.errors import BadUserInput, CursorExpired

Row = TypeVar("Row")

_LONGEST_CURSOR = 200
_EXPIRED = (
    "What came before this cursor is no longer there, because the database was restored from a "
    "backup, or because what came after it was archived. Read the current state again, and "
    "subscribe without `after`."
)


@dataclass(frozen=True, slots=True)
class _Read:
    """A cursor as clients have it. Cursors without a timeline are older than timelines."""

    cursor: Cursor
    timeline: UUID | None


async def encode_cursor(context: Context, cursor: Cursor) -> str:
    """Writes a cursor as text, with the timeline in which it is made."""
    return _text(_Read(cursor, await context.services.feeds.timeline()))


async def cursor_asked_for(context: Context, after: str, field: str, column: Column) -> Cursor:
    """Reads the argument `after` of a subscription, whose cursors count in `column`.

    Raises:
        BadUserInput: it is not one of our cursors.
        CursorExpired: it is, but a restore has undone what it stands for, or events that follow it
            are archived.
    """
    read = _cursor(after) if len(after) <= _LONGEST_CURSOR else None
    if read is None or _text(read) != after or not 0 <= read.cursor.number < 2**63:
        raise BadUserInput(f"after is not a cursor of {field}")
    with _expiring():
        await check_number(context.organization_id, column, read.cursor.number, read.timeline)
        if column == "head":
            await check_events_follow(context.organization_id, read.cursor.number)
    return read.cursor


@contextlib.asynccontextmanager
async def pages_of(
    pages: AsyncGenerator[Sequence[Entry[Row]], None],
) -> AsyncIterator[AsyncGenerator[Sequence[Entry[Row]], None]]:
    """Closes the pages of a feed after the block. Raises CursorExpired if the feed is lost."""
    with _expiring():
        async with contextlib.aclosing(pages):
            yield pages


@contextlib.contextmanager
def _expiring() -> Iterator[None]:
    try:
        yield
    except CursorLostError:
        raise CursorExpired(_EXPIRED) from None


def _text(read: _Read) -> str:
    timeline = "" if read.timeline is None else f":{read.timeline.hex}"
    written = f"{read.cursor.number}:{read.cursor.id}{timeline}"
    return base64.urlsafe_b64encode(written.encode()).decode()


def _cursor(text: str) -> _Read | None:
    try:
        number, row, *timeline = base64.urlsafe_b64decode(text.encode()).decode().split(":")
        return _Read(Cursor(int(number), UUID(row)), UUID("".join(timeline)) if timeline else None)
    except (binascii.Error, ValueError):
        return None
