"""`metergraph import`: sends the events of a file to the API."""

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click

from config.settings import get_settings
from metergraph.api_client import ApiClient
from metergraph.arguments import Api, api_options, find_api
from metergraph.importing.mapping import (
    METADATA_TYPES,
    EventMapping,
    MetadataField,
    RowError,
    Template,
    TemplateError,
)
from metergraph.importing.outgoing import OutgoingEvent, outgoing_event
from metergraph.importing.reporting import Refusals, Reporter, reporter
from metergraph.importing.row_ids import DEFAULT_PREFIX, LONGEST_PREFIX, RowIds, row_ids
from metergraph.importing.rows import Row, read_csv, read_header, read_ndjson, texts
from metergraph.importing.sending import Importer, Totals
from metergraph.sentences import number_of
from metering.texts import text_fault

_ROWS_LOOKED_AT = 100
_UNDATED = (
    "Note: a row without a timestamp counts as the same event as an equal row of another file. If"
    " these are different events, give each file its own --prefix."
)
_FORMATS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


class TemplateType(click.ParamType[Template, str]):
    """A template of `metergraph.importing.mapping`."""

    name = "template"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Template:
        """Parses it."""
        try:
            return Template.parse(value)
        except TemplateError as error:
            self.fail(str(error), param, ctx)


class MetadataType(click.ParamType[MetadataField, str]):
    """KEY=TEMPLATE, for an option with the name of a type in METADATA_TYPES."""

    name = "key=template"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> MetadataField:
        """Parses it; the option's name is the type."""
        key, equals, template = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} does not have the form KEY=TEMPLATE.", param, ctx)
        kind = str(param.name) if param is not None else "text"
        return MetadataField(key, kind, TemplateType().convert(template, param, ctx))


def _mapping_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for kind in reversed(tuple(METADATA_TYPES)):
        command = click.option(
            f"--{kind}",
            type=MetadataType(),
            multiple=True,
            help=f"A {kind} value in the metadata; repeatable.",
        )(command)
    for option, help_text in (
        ("--external-id", "The externalId, such as '{RequestId}'.  [default: made from the event]"),
        ("--timestamp", "The timestamp.  [default: now]"),
        ("--customer-id", "The customer's id."),
        ("--customer", "The customer's external id."),
        ("--name", "The event's name."),
    ):
        command = click.option(option, type=TemplateType(), help=help_text)(command)
    return command


def _checked_prefix(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    fault = None if value is None else text_fault(value, LONGEST_PREFIX)
    if fault:
        raise click.BadParameter(f"The prefix {fault[1]}")
    return value


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "ndjson"]),
    help="[default: from the file's name]",
)
@click.option("--delimiter", default=",", show_default=True, help="The delimiter of CSV.")
@_mapping_options
@click.option("--assume-utc", is_flag=True, help="Timestamps without an offset are in UTC.")
@click.option(
    "--prefix",
    callback=_checked_prefix,
    help="The prefix of generated external ids.  [default: import]",
)
@click.option("--batch-size", type=click.IntRange(1, 10_000), default=1_000, show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--fail-fast", is_flag=True, help="Stop at the first bad row.")
@click.option(
    "--refused",
    "refused_file",
    type=click.File("w", encoding="utf-8"),
    metavar="FILE",
    help="Write the line of each bad row to this file, and why it was refused.",
)
@api_options
def command(
    file: Path,
    file_format: str | None,
    delimiter: str,
    assume_utc: bool,
    prefix: str | None,
    refused_file: TextIO | None,
    url: str | None,
    token: str | None,
    **options: Any,
) -> None:
    """Send the events of FILE to the API.

    FILE is NDJSON, with the fields of EventInput on each line; or CSV with a header, whose columns
    become events by templates. In a template, {Column} is the row's value in that column, {row} the
    row's number, and {row%10} that number modulo 10. Templates work for NDJSON too: its fields are
    the columns.

    \b
        metergraph import calls.csv --name ai_usage --customer 'customer-{row%10}' \\
            --timestamp '{TIMESTAMP}' --assume-utc \\
            --number context_tokens='{ContextTokens}' --text model='{Model}'

    Running an import again inserts only new rows, even after rows were added, removed or sorted: an
    event's external id is made from its name, customer, timestamp and metadata (and from the number
    of earlier rows that make the same event). So a corrected row is a new event, and the old one
    stays; the same holds for every row after a change of the templates. If rows have an id, use it:
    with --external-id '{RequestId}', a row that differs from the stored event is a conflict, which
    is reported and changes nothing. Rows without a timestamp are the same events in every file;
    give each such file its own --prefix.

    A bad row is reported with its line (the first five for each problem), and the import goes on.
    """  # noqa: D301  # click's own mark, a backspace
    if len(delimiter) != 1:
        raise click.BadParameter("must be one character.", param_hint="--delimiter")
    chosen = file_format or _FORMATS.get(file.suffix.lower())
    if chosen is None:
        raise click.UsageError(f"Use --format to say whether {file} is csv or ndjson.")
    mapping = _mapping(options)
    _check_mapping(mapping, chosen, file, delimiter)
    api = find_api(get_settings(), url, token)
    with row_ids(prefix or DEFAULT_PREFIX) as ids, reporter(file.stat().st_size) as report:
        rows = read_csv(file, delimiter) if chosen == "csv" else read_ndjson(file)
        event_of = _event_maker(mapping, ids, assume_utc=assume_utc)
        refusals = Refusals(report, refused_file)
        started = time.monotonic()
        totals = asyncio.run(_import(api, report, refusals, rows, event_of, options))
    if ids.made_undated and totals.duplicates and prefix is None:
        click.echo(_UNDATED, err=True)
    click.echo(_summary(totals, time.monotonic() - started))
    if totals.refused:
        rows_were = "1 row was" if totals.refused == 1 else f"{totals.refused:,} rows were"
        raise click.ClickException(f"{rows_were} refused; see above.")


def _event_maker(
    mapping: EventMapping, ids: RowIds, *, assume_utc: bool
) -> Callable[[Row], OutgoingEvent]:
    def event_of(row: Row) -> OutgoingEvent:
        if row.values is None:
            raise RowError(row.problem)
        event = row.values
        if mapping:
            event = mapping.event(row.number, texts(row.values))
        return outgoing_event(event, row.line, ids, assume_utc=assume_utc)

    return event_of


def _mapping(options: dict[str, Any]) -> EventMapping:
    """Takes the options of the mapping out of `options`."""
    metadata = tuple(field for kind in METADATA_TYPES for field in options.pop(kind))
    parts = ("name", "customer", "customer_id", "timestamp", "external_id")
    return EventMapping(**{part: options.pop(part) for part in parts}, metadata=metadata)


def _check_mapping(mapping: EventMapping, file_format: str, file: Path, delimiter: str) -> None:
    is_csv = file_format == "csv"
    if not is_csv and not mapping:
        return
    if is_csv:
        columns = read_header(file, delimiter)
        if missing := sorted(mapping.columns - set(columns)):
            raise click.UsageError(
                f"{file} has no column {', '.join(missing)}; it has {', '.join(columns)}."
            )
    else:
        _check_fields(mapping, file)
    if mapping.name is None or (mapping.customer is None and mapping.customer_id is None):
        kind = "CSV" if is_csv else "A mapping"
        raise click.UsageError(f"{kind} needs --name, and --customer or --customer-id.")


def _check_fields(mapping: EventMapping, file: Path) -> None:
    """Refuses a needed field that none of the first rows has; it is probably misspelt."""
    rows = [row.values for row in islice(read_ndjson(file), _ROWS_LOOKED_AT) if row.values]
    fields = dict.fromkeys(field for row in rows for field in row)
    missing = sorted(mapping.columns - fields.keys())
    if rows and missing:
        problem = (
            f"None of the first {len(rows)} rows of {file} has the field {', '.join(missing)}; "
            f"they have {', '.join(fields)}."
        )
        if mapping.needed_columns & set(missing):
            raise click.UsageError(problem)
        click.echo(f"Note: {problem}", err=True)


async def _import(
    api: Api,
    report: Reporter,
    refusals: Refusals,
    rows: Iterator[Row],
    event_of: Callable[[Row], OutgoingEvent],
    options: dict[str, Any],
) -> Totals:
    async with ApiClient(api.url, api.token, on_retry=report.note) as client:
        return await Importer(client, report, refusals, **options).run(rows, event_of)


def _summary(totals: Totals, seconds: float) -> str:
    return (
        f"{number_of(totals.rows, 'row')} in {seconds:.1f} s: {totals.inserted:,} inserted, "
        f"{totals.duplicates:,} stored already, {totals.refused:,} refused."
    )
