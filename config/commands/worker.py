"""`metergraph worker`: count events."""

import asyncio

import asyncpg
import click
import structlog
import uvloop

from config.connections import export, with_running_servers
from config.database import opened_database, pending_migrations
from config.settings import Settings, get_settings
from workers.settings import run_worker

_log = structlog.get_logger(__name__)
_WAIT_SECONDS = 0.25


@click.command()
def command() -> None:
    """Count events into meters, until SIGTERM or Ctrl-C. Any number of workers may run."""
    settings = with_running_servers(get_settings())
    export(settings)
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with opened_database(settings, role="worker"):
        await _wait_for_migrations()
        await run_worker(str(settings.redis_url))


async def _wait_for_migrations() -> None:
    """A worker may start before its deployment has migrated, or before the database is up."""
    said = ""
    while reason := await _why_not():
        if reason != said:
            _log.warning("waiting", reason=reason)
            said = reason
        await asyncio.sleep(_WAIT_SECONDS)


async def _why_not() -> str:
    try:
        pending = await pending_migrations()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return f"the database cannot be used: {error}"
    return f"the database lacks {', '.join(pending)}: run `metergraph migrate`" if pending else ""
