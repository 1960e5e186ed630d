"""Reads and writes instants as text: ISO 8601."""

from datetime import UTC, datetime

_FORMATS = "an ISO 8601 instant with an offset, such as 2026-03-01T12:00:00Z"


def parse_instant(text: object) -> datetime:
    """Parses an instant, in UTC. Cuts off digits finer than a microsecond.

    Raises ValueError, with the reason, for other texts, for an instant without an offset, and for
    one outside the years 1 to 9999 in UTC.
    """
    if not isinstance(text, str) or len(text) > 64 or not text.isascii():
        raise ValueError(f"is not {_FORMATS}")
    try:
        instant = read_iso(text)
    except ValueError:
        raise ValueError(f"is not {_FORMATS}") from None
    return in_utc(instant)


def read_iso(text: str) -> datetime:
    """Reads ISO 8601 with or without an offset; raises ValueError for other texts.

    RFC 3339 allows t and z for T and Z; Python does not read the z.
    """
    return datetime.fromisoformat(f"{text[:-1]}Z" if text[-1:] == "z" else text)


def in_utc(instant: datetime) -> datetime:
    """Converts an instant to UTC. Raises ValueError as `parse_instant` does."""
    if instant.tzinfo is None:
        raise ValueError("has no offset: add Z or an offset such as +02:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


def format_instant(instant: datetime) -> str:
    """Writes an instant in UTC with a Z, and with microseconds only if it has some."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
