"""Parses a PostgreSQL URL in libpq's format into asyncpg's arguments.

asyncpg parses URLs as well, but takes `statement_cache_size`, which PgBouncer needs, for a setting
of the server, and its errors may quote the password.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_NAME = "The URL of the database (METERGRAPH_DATABASE_URL)"
# The parameters of a URL's query: asyncpg's names, and how to read their text.
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
    """Returns the arguments with which asyncpg connects to `url`.

    It is `postgresql://user:password@host:5432/name?sslmode=require`, or for a Unix socket
    `postgresql://user@/name?host=/directory`. Special characters are percent-encoded (RFC 3986).
    asyncpg has defaults for missing parts, such as `PGHOST`.

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
                f"{_NAME} has the parameter {name!r}; these are supported: {known}."
            )
        argument, read = _PARAMETERS[name]
        try:
            found[argument] = read(text)
        except ValueError:
            raise DatabaseURLError(f"{_NAME} has {name}={text}, which is not a number.") from None
    return found


def address(url: str) -> str:
    """Returns the target of `url` as `host:port/name`, without user and password."""
    found = credentials(url)
    return f"{found['host'] or 'localhost'}:{found['port']}/{found['database'] or ''}"
