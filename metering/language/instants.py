"""Instants as text: ISO 8601 with an offset in, UTC out."""

from datetime import UTC, datetime

_FORMATS = "an ISO 8601 instant with an offset, such as 2026-03-01T12:00:00Z"


def parse_instant(text: object) -> datetime:
    """An aware datetime in UTC; digits past microseconds are cut off.

    Raises ValueError, saying what is wrong, for anything else: also for an instant without an
    offset and one that leaves the years 1 to 9999 in UTC.
    """
    if not isinstance(text, str) or len(text) > 64 or not text.isascii():
        raise ValueError(f"is not {_FORMATS}")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is not {_FORMATS}") from None
    return in_utc(instant)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC; raises ValueError as `parse_instant` does."""
    if instant.tzinfo is None:
        raise ValueError("has no offset: end it with Z or with one such as +02:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


def format_instant(instant: datetime) -> str:
    """UTC with a Z; microseconds only where there are some."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
