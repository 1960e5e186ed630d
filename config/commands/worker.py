"""`metergraph worker`: count events."""

import click
import uvloop

from config.connections import export, with_running_servers
from config.database import opened_database, pending_migrations
from config.settings import Settings, get_settings
from workers.settings import run_worker


@click.command()
def command() -> None:
    """Count events into meters, until SIGTERM or Ctrl-C. Any number of workers may run."""
    settings = with_running_servers(get_settings())
    export(settings)
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    async with opened_database(settings, role="worker"):
        if pending := await pending_migrations():
            raise click.ClickException(
                f"The database lacks {', '.join(pending)}. Run `metergraph migrate` first."
            )
        await run_worker(str(settings.redis_url))
