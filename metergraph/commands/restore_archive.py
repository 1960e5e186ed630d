"""`metergraph restore-archive`: brings archived months back into the database."""

from pathlib import Path
from uuid import UUID

import click
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from metergraph.sentences import number_of
from metering.archive.restoring import restore_months
from schema.audit_log.entries import AuditedObject


@click.command(short_help="Bring archived events back.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--month", metavar="MONTH", help="Only this one, such as 2026-01.  [default: all, latest first]"
)
def command(directory: Path, month: str | None) -> None:
    """Bring archived months back from DIRECTORY, the latest first.

    Everything can be asked again then. The files stay where they are. If the command is killed, run
    it again.
    """
    directory = directory.absolute()

    async def run(_settings: Settings) -> None:
        count = 0
        async for restored in restore_months(directory, month, _note):
            click.echo(f"{restored.month}: {number_of(restored.events, 'event')} are back.")
            count += 1
        if not count:
            click.echo("There is nothing to restore.")

    run_with_database(run)


async def _note(connection: BaseDBAsyncClient, organization_id: UUID, month: str) -> None:
    about = AuditedObject("Organization", organization_id)
    await write_command_entry(connection, organization_id, about, {"month": month})
