"""Writes and reads cursors of subscriptions, which are opaque to clients."""

import base64
import binascii
from uuid import UUID

from metering.live.change_feed import Cursor
from schema.errors import BadUserInput

_LONGEST_CURSOR = 200


def encode_cursor(cursor: Cursor) -> str:
    """Writes a cursor as text."""
    return base64.urlsafe_b64encode(f"{cursor.number}:{cursor.id}".encode()).decode()


def decode_cursor(text: str, field: str) -> Cursor:
    """Reads a cursor; raises BadUserInput if it is not one of ours."""
    cursor = _cursor(text) if len(text) <= _LONGEST_CURSOR else None
    if cursor is None or encode_cursor(cursor) != text or not 0 <= cursor.number < 2**63:
        raise BadUserInput(f"after is not a cursor of {field}")
    return cursor


def _cursor(text: str) -> Cursor | None:
    try:
        number, _, row = base64.urlsafe_b64decode(text.encode()).decode().partition(":")
        return Cursor(int(number), UUID(row))
    except (binascii.Error, ValueError):
        return None
