"""Runs a command's work on the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from config import clock
from config.settings import Settings, get_settings
from metergraph.connections import export, reachable
from metergraph.database.database_clock import read_database_clock
from metergraph.database.opening import migrate, opened_database, pending_migrations
from metering.live.after_commit import performing_events
from metering.live.wakeup import open_queue

T = TypeVar("T")


class DatabaseNotMigratedError(RuntimeError):
    """An operator's database lacks migrations, which only the operator applies."""


def run_with_database(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Runs a command's coroutine with the database open and migrated.

    Starts embedded servers if none run. `work` gets settings with both URLs and uses PostgreSQL's
    clock.

    Raises:
        DatabaseNotMigratedError: the database is not embedded and lacks migrations.
    """
    is_embedded = get_settings().database_url is None

    async def run(settings: Settings) -> T:
        async with opened_database(settings, role="command"):
            pending = await pending_migrations()
            if pending and not is_embedded:
                raise DatabaseNotMigratedError(
                    f"The database lacks {', '.join(pending)}: run `metergraph migrate`."
                )
            if pending:
                await migrate(settings)
            await read_database_clock()
            redis = open_queue(str(settings.redis_url))
            try:
                async with performing_events(redis):
                    return await work(settings)
            finally:
                clock.forget()
                await redis.aclose()

    with reachable(get_settings()) as settings:
        export(settings)
        return asyncio.run(run(settings))
