"""LineExplanation: how the amount of an invoice line comes about, and the events behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from tortoise.connection import get_connection

from billing.catalog.prices import stored_tariff
from billing.periods.ledger import EntryKind
from billing.rating.lines import LineKind
from billing.rating.pricing import COVERED
from billing.rating.steps import Step, exact_decimal, shown
from metering.archive.boundary import events_from
from metering.language.instants import format_instant
from models import Customer as CustomerRow
from models import EventLog
from models import Meter as MeterRow
from models import ProductPrice as ProductPriceRow
from schema.context import Context, Info
from schema.errors import EventsArchived, EventsErased
from schema.loaders.lines import BilledLine, LineOrigin, LineUsage, line_events
from schema.loaders.rows import Record
from schema.loaders.sources import SQLSource
from schema.scalars import BigInt
from schema.types import invoice_line  # which refers back to this module
from schema.types.credit import CreditEntry

if TYPE_CHECKING:
    from schema.types.invoice_line import InvoiceLine

_ENDING = {EntryKind.EXPIRY.value, EntryKind.UNCOVERED.value}


@strawberry.type(
    description="A step of how an amount comes about. A step without an amount says how units "
    "follow from others. The amount of every other step is units * unitAmount + flatAmount, or is "
    "of its own, such as rounding."
)
class PricingStep:
    description: str = strawberry.field(description="What the step does, in words.")
    units: Decimal | None = strawberry.field(
        description="The units of the step: the meter's, or those that `conversion` makes of them. "
        "Negative if they are taken off. For a fixed price, the quantity; for a discount in "
        "percent, the part of one."
    )
    unit_amount: Decimal | None = strawberry.field(
        description="What each unit costs, in minor units."
    )
    flat_amount: BigInt | None = strawberry.field(
        description="An amount that is charged once, in minor units."
    )
    amount: Decimal = strawberry.field(
        description="What the step adds, in minor units. It can be a fraction of one; the sum of "
        "all steps is the amount of the line."
    )

    @classmethod
    def of(cls, step: Step) -> "PricingStep":
        return cls(
            description=step.description,
            units=None if step.units is None else exact_decimal(step.units),
            unit_amount=step.unit_amount,
            flat_amount=None if step.flat_amount is None else BigInt(step.flat_amount),
            amount=exact_decimal(step.amount),
        )


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """What explains a line of the invoice `origin`.

    Only a line about the units of a meter has `period_id` and `position`.
    """

    kind: LineKind
    price_id: UUID
    rate: int | None
    start: datetime
    end: datetime
    steps: Sequence[Step]
    period_id: UUID | None
    position: int | None
    origin: LineOrigin

    async def earlier(self, context: Context) -> list[BilledLine]:
        """Returns the lines that billed the same period before a correction, oldest first."""
        if self.kind is not LineKind.CORRECTION:
            return []
        key = (self.origin.subscription_id, self.start, self.end)
        lines = await context.loaders.billing.billed_lines.load(key)
        return [
            line
            for line in lines
            if line.row.metered_period_id == self.period_id
            and line.row.product_price_id == self.price_id
            and line.counts_for(self.origin)
        ]

    async def events(self, context: Context) -> SQLSource[Record]:
        """Returns the list of its events.

        Raises:
            EventsArchived: they are archived.
            EventsErased: which of them have its rate was erased with the customer.
        """
        return line_events(context.organization_id, await self._usage(context))

    async def _usage(self, context: Context) -> LineUsage | None:
        loaders = context.loaders
        if self.position is None:
            return None
        price = await loaders.existing(ProductPriceRow, self.price_id)
        if price.meter_id is None:
            return None
        meter = await loaders.existing(MeterRow, price.meter_id)
        # An earlier definition of the meter has counted no event.
        defined_from = meter.defined_from or 0
        if self.position < defined_from:
            return None
        await self._check_stored()
        rates = [rate.values for rate in stored_tariff(price).scheme.rates]
        if rates:
            customer = await loaders.existing(CustomerRow, self.origin.customer_id)
            if customer.erased_at is not None:
                raise EventsErased(
                    "The customer was erased, and with it the values by which events have a rate"
                )
        counted = [line.row.position for line in await self.earlier(context)]
        after = max((position for position in counted if position is not None), default=None)
        return LineUsage(
            customer_id=self.origin.customer_id,
            meter=meter,
            start=self.start,
            end=self.end,
            position=self.position,
            after=None if after is None or after < defined_from else after,
            rates=rates,
            rate=self.rate,
        )

    async def _check_stored(self) -> None:
        stored_from = await events_from(get_connection("default"))
        if stored_from is not None and self.start < stored_from:
            raise EventsArchived(
                f"Events from before {format_instant(stored_from)} are archived, and this line is"
                " about some of them. Its steps stay. The events can be listed again once an"
                " operator has restored them"
            )


@strawberry.type(
    description="How the amount of an invoice line comes about. It explains an issued line as of "
    "when it was issued."
)
class LineExplanation:
    line: strawberry.Private[ExplainedLine]

    @strawberry.field(
        description="The position of the log up to which events were counted. For a line that is "
        "not about usage, the one at which the invoice was issued."
    )
    async def position(self, info: Info) -> BigInt:
        line = self.line
        if line.position is not None:
            return BigInt(line.position)
        if line.origin.position is not None:
            return BigInt(line.origin.position)
        log = await EventLog.get_or_none(organization_id=info.context.organization_id)
        return BigInt(0 if log is None else log.head)

    @strawberry.field(
        description="The number of events in the line's `events`. If these are archived, the "
        "error EVENTS_ARCHIVED."
    )
    async def matched_events(self, info: Info) -> BigInt:
        source = await self.line.events(info.context)
        return BigInt(await info.context.loaders.counts.load(source))

    @strawberry.field(
        description="From the usage to the amount, step by step: what credit covers, the "
        "conversion, each tier, rounding, cap and minimum. Their amounts add up to the line's. The "
        "steps of a CORRECTION are those of all usage of the period, less what was billed before."
    )
    def steps(self) -> list[PricingStep]:
        return [PricingStep.of(step) for step in shown(self.line.steps)]

    @strawberry.field(
        description="The entries of the credit ledger that made the credit of the period, if "
        "credit covers usage of the line: granted, credited, carried over, or taken back."
    )
    async def credits(self, info: Info) -> list[CreditEntry]:
        line = self.line
        if line.period_id is None or all(step.description != COVERED for step in line.steps):
            return []
        rows = await info.context.loaders.billing.credit_entries_of_period.load(line.period_id)
        until = line.origin.issued_at
        return [
            CreditEntry.of(row)
            for row in rows
            if row.kind not in _ENDING and (until is None or row.created_at <= until)
        ]

    @strawberry.field(
        description="The line that a CORRECTION corrects: the latest one before it for the same "
        "usage. Null for other lines, and if nothing was billed for units of its rate."
    )
    async def corrects(
        self, info: Info
    ) -> Annotated["InvoiceLine", strawberry.lazy("schema.types.invoice_line")] | None:
        same = [
            line
            for line in await self.line.earlier(info.context)
            if line.row.rate == self.line.rate
        ]
        if not same:
            return None
        return invoice_line.InvoiceLine.of_row(same[-1].row, same[-1].origin)
