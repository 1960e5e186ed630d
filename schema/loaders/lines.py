"""Reads what a line of an invoice rests on: the events it counted, and the lines it corrects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billing.rating.lines import LineKind
from metering.archive.boundary import EVENTS_FROM
from metering.counting.dimensions import texts_sql
from metering.language.aggregations import AggregationFunction
from metering.language.definition import definition_of
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters
from metering.language.voided import counted_as_of
from metering.usage.rates import Rates, rate_sql
from models import InvoiceLine, Meter
from schema.loaders.events import EventQuery, events_source
from schema.loaders.rows import Record, fetch
from schema.loaders.sources import SQLSource, model_of


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """The invoice of a line. Only an issued one has a `sequence`, `issued_at` and `position`."""

    customer_id: UUID
    subscription_id: UUID
    sequence: int | None = None
    issued_at: datetime | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of an issued invoice, which counts unless it was voided."""

    row: InvoiceLine
    origin: LineOrigin
    voided_at: datetime | None

    def counts_for(self, origin: LineOrigin) -> bool:
        """Whether the line was billed before that invoice, and not voided by then."""
        own, other = self.origin.sequence, origin.sequence
        is_earlier = own is not None and (other is None or own < other)
        at = origin.issued_at
        is_voided = self.voided_at is not None and (at is None or self.voided_at <= at)
        return is_earlier and not is_voided


LinePeriod = tuple[UUID, datetime, datetime]
"""A subscription, and the start and the end of a period of it."""

_BILLED = """
SELECT line.*, invoice.customer_id, invoice.subscription_id, invoice.sequence, invoice.issued_at,
       invoice.position AS head,
       CASE WHEN NOT invoice.is_written_off THEN invoice.voided_at END AS voided_at
FROM (
    SELECT DISTINCT * FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
        AS asked (subscription_id, period_start, period_end)
) AS asked
JOIN invoice
    ON invoice.organization_id = $1 AND invoice.subscription_id = asked.subscription_id
   AND invoice.sequence IS NOT NULL
JOIN invoice_line line
    ON line.organization_id = $1 AND line.invoice_id = invoice.id
   AND line.period_start = asked.period_start AND line.period_end = asked.period_end
   AND line.kind = ANY($5::text[])
ORDER BY invoice.sequence, line.ordinal
"""
_OF_USAGE = [LineKind.METERED.value, LineKind.CORRECTION.value, LineKind.MINIMUM.value]


async def billed_lines(organization_id: UUID, keys: Sequence[LinePeriod]) -> list[list[BilledLine]]:
    """The lines of issued invoices for the usage of each period, oldest first."""
    subscriptions, starts, ends = zip(*keys, strict=True)
    rows = await fetch(_BILLED, organization_id, subscriptions, starts, ends, _OF_USAGE)
    found: dict[LinePeriod, list[BilledLine]] = {key: [] for key in keys}
    for row in rows:
        key = (row["subscription_id"], row["period_start"], row["period_end"])
        found[key].append(_billed_line(row))
    return [found[key] for key in keys]


_COLUMNS = tuple(InvoiceLine._meta.fields_map)  # noqa: SLF001  # where Tortoise keeps them


def _billed_line(row: Record) -> BilledLine:
    origin = LineOrigin(
        row["customer_id"], row["subscription_id"], row["sequence"], row["issued_at"], row["head"]
    )
    line = model_of(InvoiceLine)({name: row[name] for name in _COLUMNS})
    return BilledLine(line, origin, row["voided_at"])


@dataclass(frozen=True, slots=True)
class LineUsage:
    """The events of a customer in a period that a line of an invoice is about.

    They count as of `position`. Of a correction, they are those that count as of `position` or as
    of `after`, and not as of both: late ones, and those that were voided. With `rates`,
    they are those of the number `rate`, or of no rate.
    """

    customer_id: UUID
    meter: Meter
    start: datetime
    end: datetime
    position: int
    after: int | None = None
    rates: Rates = ()
    rate: int | None = None


def line_events(organization_id: UUID, usage: LineUsage | None) -> SQLSource[Record]:
    """The events that a line of an invoice is about, latest first; none if it is about none.

    If values last, they include the one whose value the period begins with.
    """
    if usage is None:
        return events_source(organization_id, None)
    definition = definition_of(usage.meter)
    of_meter = events_source(
        organization_id,
        EventQuery(
            customer_id=usage.customer_id, meter=usage.meter, end=usage.end, with_voided=True
        ),
    )

    def conditions(parameters: Parameters) -> list[str]:
        found = of_meter.conditions(parameters)
        position = parameters.add(usage.position, "bigint")
        start = parameters.add(usage.start, "timestamptz")
        if usage.after is None:
            found.append(counted_as_of(position))
        else:
            after = parameters.add(usage.after, "bigint")
            found.append(f"{counted_as_of(position)} <> {counted_as_of(after)}")
        # The caller has looked, but events may be archived by the time this is read.
        found.append(f"is_stored({start}, {EVENTS_FROM})")
        if usage.meter.complete_from is not None:
            complete_from = parameters.add(usage.meter.complete_from, "timestamptz")
            found.append(f"e.timestamp >= {complete_from}")
        if usage.after is None and _lasts(usage.meter):
            start = _CARRIED_IN.format(
                customer=parameters.add(usage.customer_id, "uuid"),
                counted=counted_sql(definition, parameters),
                value=counted_value_sql(definition, parameters),
                as_of=counted_as_of(position),
                start=start,
            )
        found.append(f"e.timestamp >= {start}")
        if usage.rates:
            number = len(usage.rates) if usage.rate is None else usage.rate
            texts = f"({texts_sql(definition, parameters)})"
            found.append(f"{rate_sql(definition, usage.rates, texts, parameters)} = {number:d}")
        return found

    return replace(of_meter, conditions=conditions)


# The instant of the latest value from before the period.
_CARRIED_IN = """coalesce((
    SELECT e.timestamp FROM event e
    WHERE e.organization_id = $1 AND e.customer_id = {customer} AND e.timestamp < {start}
      AND {counted} AND {value} IS NOT NULL AND {as_of}
    ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
), {start})"""


def _lasts(meter: Meter) -> bool:
    return meter.carries_over or meter.aggregation_function == AggregationFunction.TIME_WEIGHTED
