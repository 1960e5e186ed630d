"""`metergraph migrate`: brings the database to the newest migration."""

import asyncio

import click

from config.settings import Settings, get_settings
from metergraph.connections import reachable
from metergraph.database.opening import migrate, opened_database


@click.command()
def command() -> None:
    """Apply the migrations that the database lacks."""
    with reachable(get_settings()) as settings:
        applied = asyncio.run(_migrate(settings))
    if not applied:
        click.echo("The database is up to date.")


async def _migrate(settings: Settings) -> list[str]:
    async with opened_database(settings, role="migrate"):
        return await migrate(settings, lambda name: click.echo(f"Applying {name} ..."))
