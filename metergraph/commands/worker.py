"""`metergraph worker`: counts events and does what is due."""

import asyncio

import click
import structlog
import uvloop

from config.settings import Settings, get_settings
from metergraph.asgi.worker_health import worker_port
from metergraph.connections import export, with_running_servers
from metergraph.database.database_clock import following_database_clock
from metergraph.database.opening import opened_database, pending_migrations
from metergraph.tracing import tracing
from metering.live.timelines import notice_restore
from metering.live.wakeup import open_queue
from transport.application import services_of
from transport.webhook_objects import WebhookObjects
from waiting.outages import is_outage, postgres_error
from waiting.patience import Patience
from workers.schedule import WorkerStatus
from workers.settings import run_worker

_log = structlog.get_logger(__name__)
_WAIT_SECONDS = 0.25


@click.command()
def command() -> None:
    """Count events into meters, until SIGTERM or Ctrl-C. Any number of workers may run."""
    settings = with_running_servers(get_settings())
    export(settings)
    with tracing("worker"):
        uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    status = WorkerStatus()
    async with opened_database(settings, role="worker"), worker_port(settings, status):
        await wait_for_database(Patience())
        async with following_database_clock():
            redis = open_queue(str(settings.redis_url))
            objects = WebhookObjects(services_of(settings, redis))
            await run_worker(redis, status, objects.render)


async def wait_for_database(patience: Patience) -> None:
    """Waits, because a worker may start before the database is up or migrated."""
    said = ""
    while reason := await _why_not(patience):
        if reason != said:
            _log.warning("waiting", reason=reason)
            said = reason
        await asyncio.sleep(_WAIT_SECONDS)


async def _why_not(patience: Patience) -> str:
    try:
        pending = await patience.wait_for("migrations", pending_migrations)
        if not pending and await patience.wait_for("timeline", notice_restore):
            _log.warning("the database was restored or moved here: a new timeline has begun")
    except Exception as error:
        if not is_outage(error) and postgres_error(error) is None:
            raise
        return f"the database cannot be used: {error}"
    return f"the database lacks {', '.join(pending)}: run `metergraph migrate`" if pending else ""
