"""`metergraph cycle`: renews periods, grants credit and makes invoices, as of an instant."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import click
from tortoise.transactions import in_transaction

from billing.subscriptions.cycle import CycleReport, run_cycle
from billing.subscriptions.rehearsal import RehearsedInvoice, rehearse_cycle
from config.clock import now
from config.settings import Settings
from metergraph.arguments import INSTANT, organization_called, read_instant
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from metergraph.sentences import number_of, sentence
from metering.counting.catch_up import catch_up, meters_behind
from metering.counting.log import advance
from metering.language.instants import format_instant
from models import Organization
from schema.audit_log.entries import AuditedObject

# While a cycle runs, the events of its organization wait. A century of renewals takes minutes.
_FARTHEST = timedelta(days=366)


@dataclass(frozen=True)
class _Outcome:
    """The outcome for one organization; `problem` is a sentence if its cycle failed."""

    slug: str
    report: CycleReport
    invoices: list[RehearsedInvoice]
    problem: str = ""


@click.command(short_help="Renew due periods, grant credit, make invoices.")
@click.option(
    "--at",
    callback=read_instant,
    metavar="INSTANT",
    help=f"Act as of this instant, at most a year ahead: {INSTANT}.  [default: now]",
)
@click.option(
    "--organization", "slug", metavar="SLUG", help="Only this organization.  [default: all]"
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, without doing it.")
@click.option("--yes", is_flag=True, help="Do not ask before acting as of a future instant.")
def command(at: datetime | None, slug: str | None, *, dry_run: bool, yes: bool) -> None:
    """Renew the periods that have ended, grant credit and make invoices.

    Waiting events are counted first, because invoices depend on them. Workers do the same every ten
    seconds; running both at once does nothing twice.

    With --at in the future, current periods end now and are invoiced. That cannot be undone, so the
    command asks first. To look ahead, use --dry-run, which does the same in a transaction and rolls
    it back. Meanwhile, no events of the organization are counted.
    """

    async def run(_settings: Settings) -> tuple[datetime, list[_Outcome]]:
        current = now()  # by PostgreSQL's clock, as the database is open
        chosen = at or current
        if chosen > current + _FARTHEST:
            raise click.UsageError("--at may be at most a year ahead.")
        if chosen > current and not (dry_run or yes):
            _ask(chosen, slug)
        return chosen, await _run(chosen, slug, is_rehearsal=dry_run)

    chosen, outcomes = run_with_database(run)
    if dry_run:
        _print_rehearsal(chosen, outcomes)
    else:
        click.echo(_summary([outcome.report for outcome in outcomes]))
    problems = [f"{one.slug}: {one.problem}" for one in outcomes if one.problem]
    if problems:
        raise click.ClickException("\n".join(("The cycle failed.", *problems)))


def _ask(at: datetime, slug: str | None) -> None:
    """Asks; raises ClickException if there is no terminal, and Abort if the answer is no."""
    whose = f"the organization {slug}" if slug else "all organizations"
    what = (
        f"{format_instant(at)} is in the future. All periods of {whose} that end by then "
        "would end now, with real invoices. This cannot be undone."
    )
    if not sys.stdin.isatty():
        raise click.ClickException(f"{what} Use --dry-run to look ahead, or --yes to go on.")
    click.echo(f"{what} To only see them, use --dry-run.", err=True)
    click.confirm("Go on?", abort=True, err=True)


def _print_rehearsal(at: datetime, outcomes: list[_Outcome]) -> None:
    click.echo(f"As of {format_instant(at)}; amounts in minor units, such as cents.")
    for outcome in outcomes:
        if outcome.invoices:
            click.echo(f"\n{outcome.slug}")
        for invoice in outcome.invoices:
            click.echo(f"  {invoice.customer}: {invoice.total:,} {invoice.currency}")
            for line in invoice.lines:
                click.echo(f"    {line.amount:>12,}  {line.kind:<10}  {line.description}")
    invoices = sum(len(outcome.invoices) for outcome in outcomes)
    done = _summary([outcome.report for outcome in outcomes])
    click.echo(f"\n{number_of(invoices, 'invoice')}. {done} This was a dry run: nothing changed.")


def _summary(reports: list[CycleReport]) -> str:
    parts = (
        (sum(report.renewed for report in reports), "period", "renewed"),
        (sum(report.turned for report in reports), "balance", "moved by grants"),
        (sum(report.rerated for report in reports), "customer", "rated again for late events"),
        (sum(report.invoiced for report in reports), "waiting invoice", "made"),
    )
    said = [f"{number_of(count, thing)} {done}" for count, thing, done in parts if count]
    return f"{', '.join(said) or 'Nothing was due'}."


async def _run(at: datetime, slug: str | None, *, is_rehearsal: bool) -> list[_Outcome]:
    if slug is None:
        organizations = await Organization.all().order_by("slug")
    else:
        organizations = [await organization_called(slug)]
    outcomes = []
    for organization in organizations:
        report, problem = CycleReport(), ""
        invoices: list[RehearsedInvoice] = []
        try:
            if is_rehearsal:
                report, invoices = await rehearse_cycle(organization.id, at, _count)
            else:
                # First, so that there is an entry also if the command is killed.
                async with in_transaction() as connection:
                    about = AuditedObject("Organization", organization.id)
                    await write_command_entry(connection, organization.id, about, {"at": at})
                await _count(organization.id)
                await run_cycle(at, organization.id, report=report)
        except Exception as error:  # noqa: BLE001  # other organizations go on
            problem = sentence(error)
        outcomes.append(_Outcome(organization.slug, report, invoices, problem))
    return outcomes


async def _count(organization_id: UUID) -> None:
    """Counts all stored events of the organization."""
    while await advance(organization_id):
        pass
    for meter_id in await meters_behind(organization_id):
        while (await catch_up(organization_id, meter_id)).is_more:
            pass
