"""`metergraph export`: writes events or usage to files, for a warehouse."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from config.settings import Settings
from metergraph.arguments import INSTANT, organization_called, read_instant
from metergraph.database.with_database import run_with_database
from metergraph.exporting.places import BEGINNING, Place, file_name, last_place
from metergraph.exporting.rows import EVENT_COLUMNS, USAGE_COLUMNS, event_row, usage_row
from metergraph.sentences import number_of
from metering.counting.progress import progress
from metering.export.events import head_of, read_log
from metering.export.files import ExportFileError, locked_folder, whole_file
from metering.export.formats import WRITERS, Columns, Writer
from metering.export.usage import read_usage_of_customers
from metering.live.change_feed import CursorLostError
from metering.live.timelines import check_number, current_timeline
from metering.usage.windows import Interval, RangeError, check_range, windows, zone_of
from models import Meter, Organization

_STDOUT = Path("-")


@click.group()
def command() -> None:
    """Write events or usage to files, for a warehouse."""


def _read_place(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> Place | None:
    try:
        return None if value is None else Place.parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}.") from None


def _shared(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--format",
            "ending",
            type=click.Choice(list(WRITERS)),
            help="[default: from the file's name, else ndjson]",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            default=_STDOUT,
            help="The new file, or - for standard output.  [default: -]",
        ),
        click.option("--organization", "slug", required=True, metavar="SLUG"),
    ):
        function = option(function)
    return function


@command.command()
@_shared
@click.option(
    "--after",
    callback=_read_place,
    metavar="POSITION",
    help="Only events after this position, which an earlier export has printed.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a new file to this folder, with the events after its last file.",
)
@click.option("--start", callback=read_instant, metavar="INSTANT", help=f"From: {INSTANT}.")
@click.option("--end", callback=read_instant, metavar="INSTANT", help="Up to, and without.")
def events(
    slug: str,
    output: Path,
    ending: str | None,
    after: Place | None,
    directory: Path | None,
    start: datetime | None,
    end: datetime | None,
) -> None:
    """Export the events that are counted, in the order of the log.

    Positions of the log are final, so exports that each begin where the last one ended have every
    event once. With --directory, the names of the files say where that is:

    \b
        metergraph export events --organization acme --directory /warehouse/events --format parquet

    Run it every night. If it is killed, no file with such a name is left, and the next run begins
    at the same place. A folder without files may begin --after a position. Events with --start and
    --end are those that happened in between.
    """  # noqa: D301  # click's own mark, a backspace
    if directory is not None and (output != _STDOUT or start or end):
        raise click.UsageError("--directory goes with neither --output, --start nor --end.")
    window = None
    if start is not None or end is not None:
        if start is None or end is None:
            raise click.UsageError("--start and --end go together.")
        window = _checked(partial(check_range, start, end))

    async def run(_settings: Settings) -> None:
        organization = await organization_called(slug)
        with nullcontext() if directory is None else locked_folder(directory):
            begin = after or BEGINNING
            if directory is not None:
                begin = _begin_in(directory, after)
            through = await _through(organization, begin)
            chosen = ending or _ending_of(output)
            path = output
            if directory is not None:
                if begin.position == through.position:
                    click.echo("There are no new events.", err=True)
                    return
                path = directory / file_name(begin, through, chosen)
            count = 0
            with _writing(path, chosen, EVENT_COLUMNS) as writer:
                async for rows in read_log(
                    organization.id, begin.position, through.position, window
                ):
                    writer.write([event_row(row) for row in rows])
                    count += len(rows)
        click.echo(
            f"{number_of(count, 'event')}. The next export goes on --after {through}", err=True
        )

    run_with_database(run)


@command.command()
@_shared
@click.option(
    "--start", callback=read_instant, required=True, metavar="INSTANT", help=f"From: {INSTANT}."
)
@click.option(
    "--end", callback=read_instant, required=True, metavar="INSTANT", help="Up to, and without."
)
@click.option(
    "--interval",
    type=click.Choice([interval.value for interval in Interval]),
    default=Interval.DAY.value,
    show_default=True,
)
@click.option("--timezone", default="UTC", show_default=True, help="In which days begin.")
def usage(
    slug: str,
    output: Path,
    ending: str | None,
    start: datetime,
    end: datetime,
    interval: str,
    timezone: str,
) -> None:
    """Export the usage of every customer on every meter, interval by interval.

    Intervals without events are left out. Late events change the usage of the past, so export a
    range again once it is complete for you: `complete_through` is the cut-off.
    """
    points = _checked(lambda: windows(start, end, Interval(interval), zone_of(timezone)))

    async def run(_settings: Settings) -> None:
        organization = await organization_called(slug)
        count = 0
        with _writing(output, ending or _ending_of(output), USAGE_COLUMNS) as writer:
            for meter in await Meter.filter(organization_id=organization.id).order_by("id"):
                # Read this first: what is read afterwards includes everything up to then.
                [known] = await progress(organization.id, [meter])
                async for rows in read_usage_of_customers(meter, points):
                    writer.write([usage_row(meter, row, known.complete_through) for row in rows])
                    count += len(rows)
        click.echo(f"{number_of(count, 'row')}.", err=True)

    run_with_database(run)


def _checked(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except RangeError as error:
        raise click.UsageError(str(error).replace("`", "")) from None


def _begin_in(directory: Path, after: Place | None) -> Place:
    """Returns where the next file of a folder begins: `after` is for its first one."""
    last = last_place(directory)
    if after is not None and last != BEGINNING:
        raise click.UsageError(
            f"{directory} has files already, which say where the next one begins: "
            "leave out --after."
        )
    return after or last


async def _through(organization: Organization, begin: Place) -> Place:
    """Returns the end of the log. Raises ClickException if the log never came as far as `begin`."""
    if begin != BEGINNING:
        try:
            await check_number(organization.id, "head", begin.position, begin.timeline)
        except CursorLostError:
            raise click.ClickException(
                f"Position {begin.position:,} is not one of this organization's log. If the "
                "database was restored from a backup, remove what was exported after the backup, "
                "and go on after the last position before it."
            ) from None
    # In this order: a timeline that begins in between makes the place one of the past.
    timeline = await current_timeline()
    return Place(await head_of(organization.id), timeline)


def _ending_of(output: Path) -> str:
    ending = output.suffix.removeprefix(".").lower()
    return ending if ending in WRITERS else "ndjson"


@contextmanager
def _writing(path: Path, ending: str, columns: Columns) -> Iterator[Writer]:
    """A writer of a file that is whole after the block, or of standard output."""
    try:
        with nullcontext(sys.stdout.buffer) if path == _STDOUT else whole_file(path) as file:
            with WRITERS[ending](file, columns) as writer:
                yield writer
            file.flush()
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise ExportFileError(f"{path} cannot be written: {error.strerror or error}.") from error
