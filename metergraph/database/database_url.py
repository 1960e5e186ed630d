"""A PostgreSQL URL, as libpq writes it, taken apart into asyncpg's arguments."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_NAME = "The URL of the database (METERGRAPH_DATABASE_URL)"
# What asyncpg calls the parameters of a URL's query, and how their text is read.
_PARAMETERS: dict[str, tuple[str, type]] = {
    "host": ("host", str),
    "port": ("port", int),
    "user": ("user", str),
    "password": ("password", str),
    "sslmode": ("ssl", str),
    "connect_timeout": ("timeout", float),
    "statement_cache_size": ("statement_cache_size", int),
    "application_name": ("application_name", str),
}


class DatabaseURLError(ValueError):
    """The URL of the database cannot be used; the message says why, without the password."""


def credentials(url: str) -> dict[str, Any]:
    """What asyncpg needs to connect to `url`.

    `postgresql://user:password@host:5432/name?sslmode=require`, and for a Unix socket
    `postgresql://user@/name?host=/directory`. Characters with a meaning in a URL are
    percent-encoded (RFC 3986). What is left out is asyncpg's default: `PGHOST` and its like.

    Raises:
        DatabaseURLError: another scheme, a bad port, or a parameter that is not supported.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DatabaseURLError(f"{_NAME} is malformed: {error}.") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise DatabaseURLError(f"{_NAME} must begin with postgresql://.")
    found: dict[str, Any] = {
        "host": unquote(parts.hostname) if parts.hostname else None,
        "port": port or 5432,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path[1:]) or None,
    }
    for name, text in parse_qsl(parts.query):
        if name not in _PARAMETERS:
            known = ", ".join(sorted(_PARAMETERS))
            raise DatabaseURLError(
                f"{_NAME} has a parameter {name!r}; these are supported: {known}."
            )
        argument, read = _PARAMETERS[name]
        try:
            found[argument] = read(text)
        except ValueError:
            raise DatabaseURLError(f"{_NAME} has {name}={text}, which is no number.") from None
    return found


def address(url: str) -> str:
    """Where `url` leads, for people: `host:port/name` without user and password."""
    found = credentials(url)
    return f"{found['host'] or 'localhost'}:{found['port']}/{found['database'] or ''}"
