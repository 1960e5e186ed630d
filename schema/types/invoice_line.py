"""InvoiceLine: what an invoice charges for."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from billing.catalog.prices import stored_tariff
from billing.rating.lines import Line
from billing.rating.steps import steps_from_json
from models import InvoiceLine as InvoiceLineRow
from models import ProductPrice as ProductPriceRow
from schema.billing_enums import LineKind
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.loaders.lines import LineOrigin
from schema.permissions import requires
from schema.scalars import BigInt
from schema.types import event, price  # which refer back to the types of invoices
from schema.types.line_explanation import ExplainedLine, LineExplanation

if TYPE_CHECKING:
    from schema.types.event import Event
    from schema.types.price import DimensionRate, ProductPrice


@strawberry.type(description="A line of an invoice.")
class InvoiceLine:
    explained: strawberry.Private[ExplainedLine]
    simulated_price: strawberry.Private[ProductPriceRow | None] = None
    ordinal: int = strawberry.field(
        description="The number of the line on its invoice, from 0. See `Invoice.line`."
    )
    kind: LineKind = strawberry.field(description="The kind of charge.")
    description: str = strawberry.field(description="What the line charges for, in words.")
    period_start: datetime = strawberry.field(description="The start of the period.")
    period_end: datetime = strawberry.field(description="The end of the period, exclusive.")
    consumed_units: Decimal | None = strawberry.field(
        description="Usage in the meter's units. For a CORRECTION, the difference from the "
        "usage that was billed. Only for METERED and CORRECTION of usage."
    )
    credited_units: Decimal | None = strawberry.field(
        description="Credit that was applied to the usage, in units. For a CORRECTION, the "
        "difference."
    )
    billable_units: Decimal | None = strawberry.field(
        description="The units that are charged. For a CORRECTION, the difference."
    )
    converted_units: Decimal | None = strawberry.field(
        description="The charged units as the price's `conversion` makes them, which are priced. "
        "For a CORRECTION, the difference. Null if the price has none."
    )
    amount: BigInt = strawberry.field(
        description="The amount in minor units. Negative if a CORRECTION gives money back, a "
        "DISCOUNT is taken off, or a BALANCE is used."
    )

    @strawberry.field(
        description="The rate of the price by which it charges units. Null for units that match "
        "none, and if the price has none."
    )
    async def rate(
        self, info: Info
    ) -> Annotated["DimensionRate", strawberry.lazy("schema.types.price")] | None:
        if self.explained.rate is None:
            return None
        row = await self._price_row(info)
        return price.DimensionRate.of(stored_tariff(row).scheme.rates[self.explained.rate])

    @strawberry.field(
        description="The price that the line charges. A BALANCE and a DISCOUNT are about the whole "
        "invoice; they have the price of the first line. A MINIMUM has the first metered price."
    )
    async def price(
        self, info: Info
    ) -> Annotated["ProductPrice", strawberry.lazy("schema.types.price")]:
        return price.ProductPrice.of(await self._price_row(info))

    async def _price_row(self, info: Info) -> ProductPriceRow:
        if self.simulated_price is not None:
            return self.simulated_price
        return await info.context.loaders.existing(ProductPriceRow, self.explained.price_id)

    @strawberry.field(
        description="How the amount comes about. Null for a BALANCE, and for a line that was "
        "issued before Metergraph kept steps.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def explanation(self) -> LineExplanation | None:
        return LineExplanation(line=self.explained) if self.explained.steps else None

    @connection(
        Annotated["Event", strawberry.lazy("schema.types.event")],
        description="The events that the line charges, as of its position, latest first. Of a "
        "CORRECTION, those that were counted since the line before it. With COUNT and SUM, they "
        "add up to consumedUnits. If values last, as with carriesOver and TIME_WEIGHTED, the list "
        "begins with the event whose value was there when the period began. If they are archived, "
        "the error EVENTS_ARCHIVED; if a rate cannot be told because the customer was erased, "
        "EVENTS_ERASED.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def events(self, info: Info) -> Listed:
        return Listed(await self.explained.events(info.context), event.Event.of)

    @classmethod
    def of_row(cls, row: InvoiceLineRow, origin: LineOrigin) -> "InvoiceLine":
        """Makes a line of an issued invoice, or of the preview of one."""
        return cls(
            explained=ExplainedLine(
                kind=LineKind(row.kind),
                price_id=row.product_price_id,
                rate=row.rate,
                start=row.period_start,
                end=row.period_end,
                steps=steps_from_json(row.steps or ()),
                period_id=row.metered_period_id,
                position=row.position,
                origin=origin,
            ),
            ordinal=row.ordinal,
            kind=LineKind(row.kind),
            description=row.description,
            period_start=row.period_start,
            period_end=row.period_end,
            consumed_units=row.consumed,
            credited_units=row.credited,
            billable_units=row.billable,
            converted_units=row.converted,
            amount=BigInt(int(row.amount)),
        )

    @classmethod
    def of_estimate(
        cls,
        line: Line,
        ordinal: int,
        origin: LineOrigin,
        simulated_price: ProductPriceRow | None = None,
    ) -> "InvoiceLine":
        """Makes a line of an upcoming invoice or a draft, or at a price that is only simulated."""
        rating, period = line.rating, line.metered_period
        usage = None if period is None else period.usage
        return cls(
            explained=ExplainedLine(
                kind=line.kind,
                price_id=line.price_id,
                rate=line.rate,
                start=line.period.start,
                end=line.period.end,
                steps=line.steps,
                period_id=None if period is None else period.id,
                position=None if usage is None else usage.position,
                origin=origin,
            ),
            simulated_price=simulated_price,
            ordinal=ordinal,
            kind=line.kind,
            description=line.description,
            period_start=line.period.start,
            period_end=line.period.end,
            consumed_units=None if rating is None else rating.consumed,
            credited_units=None if rating is None else rating.credited,
            billable_units=None if rating is None else rating.billable,
            converted_units=line.converted,
            amount=BigInt(line.amount),
        )
