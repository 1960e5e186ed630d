"""`metergraph archive`: writes months of events to files and drops them from the database."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click
from tortoise.backends.base.client import BaseDBAsyncClient

from config.clock import now
from config.settings import Settings
from metergraph.arguments import INSTANT, read_instant
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from metergraph.sentences import number_of
from metering.archive.archiving import Archived, archive_months, months_to_archive
from schema.audit_log.entries import AuditedObject


def _read_date(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | None:
    is_date = value is not None and len(value) == len("2026-01-01")
    return read_instant(context, parameter, f"{value}T00:00:00Z" if is_date else value)


@click.command(short_help="Write old events to files and drop them.")
@click.option(
    "--before",
    callback=_read_date,
    required=True,
    metavar="DATE",
    help=f"Archive the months that are over by then: 2026-01-01, or {INSTANT}.",
)
@click.option(
    "--to",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where each month gets a folder.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be archived, without doing it.")
def command(before: datetime, directory: Path, *, dry_run: bool) -> None:
    """Write the events of old months to files, and drop them from the database.

    Usage, invoices and credit stay. A month is archived for all organizations together, after its
    usage was compared with its events. If the command is killed, run it again: it goes on.
    """
    directory = directory.absolute()

    async def run(_settings: Settings) -> None:
        if before > now():
            raise click.UsageError("--before is in the future.")
        if dry_run:
            found = await months_to_archive(before)
            for month in found:
                click.echo(f"{_said(month)} in the database would be archived.")
        else:
            found = []
            async for month in archive_months(before, directory, _note):
                click.echo(f"{_said(month)} are archived in {directory / month.month}.")
                found.append(month)
        if not found:
            click.echo("There is nothing to archive.")

    run_with_database(run)


def _said(month: Archived) -> str:
    return f"{month.month}: {number_of(month.events, 'event')}, {month.bytes:,} bytes"


async def _note(connection: BaseDBAsyncClient, organization_id: UUID, month: str) -> None:
    about = AuditedObject("Organization", organization_id)
    await write_command_entry(connection, organization_id, about, {"month": month})
