"""`metergraph cycle`: turn periods, grant credits and make invoices, once, as of an instant."""

from datetime import datetime
from uuid import UUID

import click
from tortoise.connection import get_connection

from billing.cycle import CycleReport, run_cycle
from config.clock import now
from config.settings import Settings
from config.with_database import run_with_database
from config.wording import number_of
from metering.catch_up import catch_up, meters_behind
from metering.instants import parse_instant
from metering.log import advance
from metering.wakeup import open_queue
from workers.grant_cycle_credits import announce_cycle


def _instant(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    if value is None:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}.") from None


@click.command()
@click.option(
    "--at",
    callback=_instant,
    metavar="INSTANT",
    help="As if it were then: ISO 8601 with an offset, such as 2026-03-01T00:00:00Z. Else: now.",
)
def command(at: datetime | None) -> None:
    """Do all that is due of subscriptions, until nothing is.

    First counts the events that wait, because invoices wait for them. The worker does the same
    every ten seconds; running both at once does nothing twice.
    """
    report = run_with_database(lambda settings: _run(settings, at or now()))
    click.echo(_summary(report))


def _summary(report: CycleReport) -> str:
    parts = (
        (report.turned, "period", "turned"),
        (report.rerated, "customer", "rated anew for late events"),
        (report.invoiced, "waiting invoice", "made"),
    )
    said = [f"{number_of(count, thing)} {done}" for count, thing, done in parts if count]
    return f"{', '.join(said) or 'Nothing was due'}."


async def _run(settings: Settings, at: datetime) -> CycleReport:
    for organization_id in await _organizations():
        await _count(organization_id)
    report = await run_cycle(at)
    redis = open_queue(str(settings.redis_url))
    try:
        await announce_cycle(redis, report)
    finally:
        await redis.aclose()
    return report


async def _organizations() -> list[UUID]:
    rows = await get_connection("default").execute_query_dict("SELECT id FROM organization")
    return [row["id"] for row in rows]


async def _count(organization_id: UUID) -> None:
    """Counts everything that is stored of the organization."""
    while await advance(organization_id):
        pass
    for meter_id in await meters_behind(organization_id):
        more = True
        while more:
            more, _revision = await catch_up(organization_id, meter_id)
