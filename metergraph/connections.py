"""Finds the servers for a command: those of the settings, running embedded ones, or its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from config.settings import Settings, get_settings, variable_name
from metergraph.embedded import embedded_servers, running_addresses


class ServersNotRunningError(RuntimeError):
    """A URL is not set, and no embedded server runs."""


def with_running_servers(settings: Settings) -> Settings:
    """Completes `settings` with the URLs of the servers that `metergraph dev` runs.

    On the database of `metergraph dev`, webhooks also get its key and its rule for addresses.
    Without them, a worker beside it could send nothing.

    Raises:
        ServersNotRunningError: a URL is not set, and no embedded server runs.
    """
    found = running_addresses(settings.data_dir)
    if found is None:
        if settings.database_url is None or settings.redis_url is None:
            raise ServersNotRunningError(
                "No servers are running. Start them with `metergraph dev`, or set "
                f"{variable_name('database_url')} and {variable_name('redis_url')}."
            )
        return settings
    chosen: dict[str, Any] = {
        "database_url": settings.database_url or found.database_url,
        "redis_url": settings.redis_url or found.redis_url,
    }
    if chosen["database_url"] == found.database_url:
        key = None if found.secret_key is None else SecretStr(found.secret_key)
        chosen["secret_key"] = settings.secret_key or key
        chosen["webhook_allow_insecure"] = (
            settings.webhook_allow_insecure or found.webhook_allow_insecure
        )
    return settings.model_copy(update=chosen)


@contextmanager
def reachable(settings: Settings) -> Iterator[Settings]:
    """Completes `settings` with both URLs; starts embedded servers for the block if none run."""
    try:
        found = with_running_servers(settings)
    except ServersNotRunningError:
        with embedded_servers(
            settings.data_dir,
            postgres=settings.database_url is None,
            redis=settings.redis_url is None,
        ) as servers:
            yield settings.model_copy(
                update={
                    "database_url": settings.database_url or servers.database_url,
                    "redis_url": settings.redis_url or servers.redis_url,
                }
            )
    else:
        yield found


def export(settings: Settings) -> None:
    """Passes the servers of `settings`, and what webhooks need, to `get_settings()`.

    That is here and in processes that are started later.
    """
    key = settings.secret_key
    values = {
        "database_url": settings.database_url,
        "redis_url": settings.redis_url,
        "secret_key": None if key is None else key.get_secret_value(),
        "webhook_allow_insecure": str(settings.webhook_allow_insecure).lower(),
    }
    for field, value in values.items():
        if value is not None:
            os.environ[variable_name(field)] = value
    get_settings.cache_clear()
