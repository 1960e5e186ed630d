"""`metergraph recount`: try the events anew that meters could not count."""

import click

from config.settings import Settings
from metergraph.database.with_database import run_with_database
from metergraph.wording import number_of
from metering.counting.recount import Recounted, recount, uncounted_meters


@click.command(short_help="Count events that meters could not count before.")
def command() -> None:
    """Count events that meters could not count before, once the cause is gone.

    A meter skips an event that makes counting fail; its progress says which, and why. This command
    tries those events again, in every organization. Usage is right at once, and the next invoice
    corrects what was invoiced without them, as it does for late events.
    """
    done, not_live, problems = run_with_database(_recount)
    click.echo(
        f"{number_of(sum(one.counted for one in done), 'event')} counted,"
        f" {sum(one.failed for one in done)} still cannot be."
    )
    if not_live:
        click.echo(f"Archived or behind, and left as they are: {number_of(not_live, 'meter')}.")
    if problems:
        raise click.ClickException("\n".join(("These meters could not be put right:", *problems)))


async def _recount(_settings: Settings) -> tuple[list[Recounted], int, list[str]]:
    done: list[Recounted] = []
    not_live = 0
    problems: list[str] = []
    for organization_id, meter_id in await uncounted_meters():
        found = await recount(organization_id, meter_id)
        if found is None:
            not_live += 1
            continue
        done.append(found)
        if found.problem is not None:
            problems.append(f"{meter_id} of organization {organization_id}: {found.problem}")
    return done, not_live, problems
