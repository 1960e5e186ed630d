"""`metergraph restored`: tells Metergraph that its database was restored from a backup."""

import click
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from metergraph.sentences import number_of
from metering.live.timelines import begin_timeline, place_of_database
from models import Organization
from schema.audit_log.entries import AuditedObject


@click.command(short_help="Tell Metergraph that its database was restored.")
def command() -> None:
    """Tell Metergraph that its database was restored from a backup.

    Run it once after each restore, before you start the API and the workers. Subscribers whose
    cursors are from after the backup are then told to begin again, those with older cursors go on,
    and webhook endpoints get `organization.restored`.
    """
    organizations = run_with_database(_begin)
    click.echo(f"A new timeline has begun for {number_of(organizations, 'organization')}.")


async def _begin(_settings: Settings) -> int:
    place = await place_of_database()
    async with in_transaction() as connection:
        await begin_timeline(connection, place)
        organizations = await Organization.all().using_db(connection)
        for organization in organizations:
            about = AuditedObject("Organization", organization.id)
            await write_command_entry(connection, organization.id, about, {})
    return len(organizations)
