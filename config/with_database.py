"""Running one command's work on the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from config.connections import export, reachable
from config.database import migrate, opened_database, pending_migrations
from config.settings import Settings, get_settings

T = TypeVar("T")


def run_with_database(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Run a command's coroutine with the database open and migrated.

    Embedded servers are started for it when none run. `work` gets settings with both URLs.
    """

    async def run(settings: Settings) -> T:
        async with opened_database(settings, role="command"):
            if await pending_migrations():
                await migrate(settings)
            return await work(settings)

    with reachable(get_settings()) as settings:
        export(settings)
        return asyncio.run(run(settings))
