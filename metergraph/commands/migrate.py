"""`metergraph migrate`: brings the database to the newest migration."""

import asyncio

import click

from config.settings import Settings, get_settings
from metergraph.connections import reachable
from metergraph.database.distribution import (
    Distribution,
    Table,
    distribute,
    distribution_of,
    refuse_plain,
)
from metergraph.database.opening import migrate, opened_database
from metering.live.timelines import notice_restore

# While a migration waits for a table, everything else that uses this table waits behind it.
_LOCK_TIMEOUT_SECONDS = 1.0


@click.command()
@click.option(
    "--distribute",
    "wanted",
    is_flag=True,
    help="Also distribute the tables of a Citus coordinator by organization.",
)
def command(wanted: bool) -> None:
    """Apply the migrations that the database lacks.

    If its tables are distributed, new ones are distributed too.
    """
    with reachable(get_settings()) as settings:
        asyncio.run(_migrate(settings, wanted=wanted))


async def _migrate(settings: Settings, *, wanted: bool) -> None:
    found = await distribution_of(settings)
    if wanted:
        refuse_plain(found)
    async with opened_database(
        settings, role="migrate", lock_timeout_seconds=_LOCK_TIMEOUT_SECONDS
    ):
        applied = await migrate(settings, lambda name: click.echo(f"Applying {name} ..."))
    if not applied:
        click.echo("The database is up to date.")
    if wanted or found is Distribution.DISTRIBUTED:
        made = await distribute(settings, _report)
        if made:
            click.echo(f"{len(made)} tables are distributed now.")
        else:
            click.echo("All tables are distributed.")
    async with opened_database(settings, role="migrate"):
        if await notice_restore():
            click.echo("The database was restored or moved here: a new timeline has begun.")


def _report(table: Table) -> None:
    how = "a copy on every node" if table.is_reference else "by organization_id"
    click.echo(f"Distributed {table.name}: {how}")
