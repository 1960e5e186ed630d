"""Ids of rows: UUIDv7 (RFC 9562), so that later rows sort after earlier ones."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id, greater than every id that this process made before."""
    return uuid7()
