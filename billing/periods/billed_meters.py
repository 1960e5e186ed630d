"""Meters as billing sees them: how far they have counted, their usage, and what needs them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.price_meters import ADDING_UP
from billing.numbers import plus
from billing.periods.metered_periods import MeteredPeriod, PeriodUsage, PieceUsage
from billing.rating.lines import MeteredPrice
from metering.counting.progress import FIRST_AFTER_POSITION, storing_since
from metering.language.definition import METER_COLUMNS, MeterDefinition, meter_definition
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.grouping import DimensionValue
from metering.usage.periods import usage_of_periods
from metering.usage.rates import units_by_rate

RateValues = tuple[tuple[DimensionValue, ...], ...]
"""The values of each rate of a price."""


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A customer's period on a meter, and the rates of its price, if there are any.

    `cuts` are the instants within it where grants begin or end.
    """

    meter_id: UUID
    period: CustomerPeriod
    rates: RateValues = ()
    cuts: tuple[datetime, ...] = ()

    @property
    def pieces(self) -> "list[AskedPeriod]":
        """The pieces of the period."""
        period = self.period
        bounds = [period.start, *self.cuts, period.end]
        return [
            AskedPeriod(self.meter_id, replace(period, start=start, end=end), self.rates)
            for start, end in pairwise(bounds)
        ]


@dataclass(frozen=True, slots=True)
class CountedMeter:
    """How far a meter has counted. This cannot change while the caller holds the log.

    `position` is that of the last batch that it counted. `waits_from`: every event that was
    received before is counted; None if the meter is archived, so that it has nothing left to count.
    `precedes_definition`: it was edited, and has not caught up with the edit's position yet.
    `dimensions_position`: the position of its usage by dimension, which may be behind the rest.
    """

    definition: MeterDefinition
    name: str
    position: int
    is_behind: bool
    waits_from: datetime | None
    precedes_definition: bool
    dimensions_position: int

    @property
    def adds_up(self) -> bool:
        """Whether the usage of a period is the sum of that of its pieces."""
        return self.definition.aggregation.function in ADDING_UP

    def has_counted_through(self, instant: datetime, *, by_dimension: bool) -> bool:
        """Whether the meter has counted every event that was stored before `instant`."""
        if by_dimension and self.dimensions_position < self.position:
            return False
        return self.waits_from is None or (
            self.waits_from >= instant and not self.precedes_definition
        )


def asked_period(
    period: MeteredPeriod, meter: CountedMeter, prices: Mapping[UUID, MeteredPrice]
) -> AskedPeriod:
    """Returns what to ask a meter for about a period.

    Usage that does not add up has no pieces. Before the first subscription, usage burns no credit.
    """
    asked = CustomerPeriod(period.customer_id, period.start, period.end)
    price = None if period.price_id is None else prices[period.price_id]
    rates = () if price is None else price.rate_values
    cuts = period.cuts if meter.adds_up and period.start is not None else ()
    return AskedPeriod(period.meter_id, asked, rates, cuts)


async def counted_meters(
    connection: BaseDBAsyncClient, organization_id: UUID, head: int, meter_ids: Iterable[UUID]
) -> dict[UUID, CountedMeter]:
    """Loads these meters, by id."""
    storing = await storing_since(connection)
    rows = await connection.execute_query_dict(
        f"""
        SELECT {METER_COLUMNS}, archived_at, name,
               CASE WHEN meter.archived_at IS NULL
                    THEN least(pending.received_at, next.received_at, $3::timestamptz)
               END AS waits_from,
               coalesce(meter.position < meter.defined_from, false) AS precedes_definition
        FROM meter
        CROSS JOIN (
            SELECT min(received_at) AS received_at FROM event_batch
            WHERE organization_id = $1 AND position IS NULL
        ) AS pending
        LEFT JOIN LATERAL ({FIRST_AFTER_POSITION}) AS next ON true
        WHERE meter.organization_id = $1 AND meter.id = ANY($2::uuid[])
        """,
        [organization_id, list(set(meter_ids)), storing],
    )
    return {
        row["id"]: CountedMeter(
            definition=meter_definition(row),
            name=row["name"],
            position=head if row["position"] is None else row["position"],
            is_behind=row["position"] is not None,
            waits_from=row["waits_from"],
            precedes_definition=row["precedes_definition"],
            dimensions_position=max(0, _dimensions_position(row, head)),
        )
        for row in rows
    }


def _dimensions_position(row: Mapping[str, Any], head: int) -> int:
    positions = (row["dimensions_position"], row["position"], head)
    return next(position for position in positions if position is not None)


async def usage_by_meter(
    connection: BaseDBAsyncClient,
    meters: Mapping[UUID, CountedMeter],
    periods: Sequence[AskedPeriod],
) -> list[PeriodUsage]:
    """Returns the usage of periods, in their order: one statement for each meter and its rates.

    A meter that has not caught up with its latest edit has no usage.
    """
    pieces = [asked.pieces for asked in periods]
    usages = iter(
        await _usage_of_pieces(connection, meters, [one for all_ in pieces for one in all_])
    )
    return [_joined([(one, next(usages)) for one in of_period]) for of_period in pieces]


def _joined(pieces: Sequence[tuple[AskedPeriod, PeriodUsage]]) -> PeriodUsage:
    """Returns the usage of a period that consists of pieces."""
    [_, first], usages = pieces[0], [usage for _, usage in pieces]
    if len(pieces) == 1:
        return first
    by_rate = zip(*(usage.by_rate for usage in usages), strict=True)
    return PeriodUsage(
        reduce(plus, (usage.consumed for usage in usages)),
        first.position,
        first.is_behind,
        tuple(reduce(plus, units) for units in by_rate),
        tuple(
            PieceUsage(asked.period.start, usage.by_rate or (usage.consumed,))
            for asked, usage in pieces
            if asked.period.start is not None
        ),
    )


async def _usage_of_pieces(
    connection: BaseDBAsyncClient,
    meters: Mapping[UUID, CountedMeter],
    periods: Sequence[AskedPeriod],
) -> list[PeriodUsage]:
    found: dict[int, PeriodUsage] = {}
    places: dict[tuple[UUID, RateValues], list[int]] = {}
    for place, asked in enumerate(periods):
        places.setdefault((asked.meter_id, asked.rates), []).append(place)
    for (meter_id, rates), of_meter in places.items():
        meter, asked_periods = meters[meter_id], [periods[place].period for place in of_meter]
        usages = (
            await _usage_by_rate(connection, meter, asked_periods, rates)
            if rates
            else await _usage(connection, meter, asked_periods)
        )
        found |= dict(zip(of_meter, usages, strict=True))
    return [found[place] for place in range(len(periods))]


async def _usage(
    connection: BaseDBAsyncClient, meter: CountedMeter, periods: Sequence[CustomerPeriod]
) -> list[PeriodUsage]:
    usages = await usage_of_periods(
        connection, meter.definition, meter.position, periods, are_over=True
    )
    return [
        PeriodUsage(
            Decimal(0) if meter.precedes_definition else usage.consumed,
            meter.position,
            meter.is_behind,
        )
        for usage in usages
    ]


async def _usage_by_rate(
    connection: BaseDBAsyncClient,
    meter: CountedMeter,
    periods: Sequence[CustomerPeriod],
    rates: RateValues,
) -> list[PeriodUsage]:
    """Returns the usage as far as it is counted by dimension. It adds up to what is consumed."""
    position = 0 if meter.precedes_definition else meter.dimensions_position
    is_behind = meter.is_behind or position < meter.position
    found = await units_by_rate(connection, meter.definition, position, periods, rates)
    return [
        PeriodUsage(reduce(plus, units), meter.dimensions_position, is_behind, units)
        for units in found
    ]


_USES = """
SELECT EXISTS (
    SELECT FROM product_price price
    JOIN product ON product.organization_id = $1
                AND product.id = price.product_id AND product.archived_at IS NULL
    WHERE price.organization_id = $1 AND price.meter_id = $2
) OR EXISTS (
    SELECT FROM benefit
    JOIN product_benefit brought ON brought.organization_id = $1
                                AND brought.benefit_id = benefit.id
    JOIN product ON product.organization_id = $1
                AND product.id = brought.product_id AND product.archived_at IS NULL
    WHERE benefit.organization_id = $1 AND benefit.meter_id = $2
) AS by_product, EXISTS (
    SELECT FROM subscription_meter held
    WHERE held.organization_id = $1 AND held.meter_id = $2
) AS by_subscription, EXISTS (
    SELECT FROM metered_period period
    WHERE period.organization_id = $1 AND period.meter_id = $2
      AND period.closed_at IS NOT NULL
      AND (period.is_behind OR period.needs_correction
           OR period.product_price_id IS NOT NULL AND period.billed_amount IS NULL)
) AS by_invoice
"""


async def meter_in_use(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID
) -> str | None:
    """Returns a sentence that says why the meter must go on counting; None if it may stop.

    The caller holds the log. A subscription uses its meters until it ends, even if its
    cancellation is scheduled or its product is archived.
    """
    rows = await connection.execute_query_dict(_USES, [organization_id, meter_id])
    uses = rows[0]
    if uses["by_product"]:
        return "A product's price or benefit uses this meter."
    if uses["by_subscription"]:
        return "A subscription uses this meter until it ends."
    if uses["by_invoice"]:
        return "Usage of this meter is still to be invoiced."
    return None
