"""Text that commands show to people: errors, and numbers of things."""

import socket

from config.settings import get_settings, variable_name
from metergraph.database.database_url import address
from metergraph.logging import redact

_OURS = {
    *("config", "waiting", "models", "metering", "billing", "webhooks"),
    *("schema", "resolvers", "transport", "workers", "metergraph"),
}


def number_of(count: int, thing: str) -> str:
    """`1 row` or `2,000 rows`, for a thing whose plural ends in s."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def sentence(error: Exception) -> str:
    """Describes an error for a person; a group of errors has a line for each.

    The messages of our own errors are sentences. For others the type matters more.
    """
    if isinstance(error, ExceptionGroup):
        return "\n".join(dict.fromkeys(map(sentence, error.exceptions)))
    return _sentence_of_one(error)


def _sentence_of_one(error: Exception) -> str:
    if type(error).__module__.startswith("tortoise.") and isinstance(error.__cause__, Exception):
        return sentence(error.__cause__)
    message = redact(str(error)).strip()
    if type(error).__module__.partition(".")[0] in _OURS:
        return message
    if type(error).__module__.startswith("redis."):
        return f"Redis cannot be used: {message}"
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        url = get_settings().database_url
        where = f" at {address(url)}" if url else ""
        return f"PostgreSQL cannot be reached{where}: {message or 'it does not answer'}"
    if type(error).__module__.startswith("asyncpg."):
        return f"PostgreSQL said: {message}"
    name = type(error).__name__
    return f"{name}: {message or 'no details'} ({variable_name('log_level')}=debug shows where.)"
