"""Query fields about products, subscriptions and invoices."""

from datetime import datetime
from typing import Annotated

import strawberry

from billing.invoicing.revenue import invoiced, most_used_currency
from billing.subscriptions.change_preview import preview_change
from metering.problems import RefusedError
from metering.usage.windows import RangeError, windows, zone_of
from models import Benefit as BenefitRow
from resolvers.queries.nodes import one
from resolvers.refusals import requested_change
from schema.billing_enums import InvoiceStatus, SubscriptionStatus
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.customers import customer_to_list
from schema.enums import ListOrder
from schema.errors import BadUserInput, NotFound, bad_input
from schema.ids import Id, key_to_list
from schema.inputs.products import MeteredPriceInput
from schema.inputs.subscriptions import CustomerSubscriptionChangeInput
from schema.loaders.billing_lists import (
    InvoiceQuery,
    SubscriptionQuery,
    invoices_source,
    products_source,
    subscriptions_source,
)
from schema.loaders.tables import has_text, rows_source
from schema.permissions import requires
from schema.ranges import EachInterval, NullableTimeZone
from schema.scalars import BigInt, CurrencyCode
from schema.types.invoice import Invoice
from schema.types.price_example import ExampleUnits, ExampleValues, PriceExample, price_examples
from schema.types.product import MeterCreditBenefit, Product
from schema.types.revenue import Revenue, RevenuePoint
from schema.types.subscription import CustomerSubscription
from schema.types.subscription_changes import SubscriptionChangePreview

_READ = Scope.BILLING_READ


@strawberry.type
class BillingQuery:
    @strawberry.field(
        description="A product by its id. Null if there is none.", extensions=[requires(_READ)]
    )
    async def product(self, info: Info, id: Id) -> Product | None:
        return await one(info.context, id, Product)

    @connection(Product, description="All products, oldest first.", extensions=[requires(_READ)])
    def products(
        self,
        info: Info,
        include_archived: Annotated[
            bool, strawberry.argument(description="Whether to include archived products.")
        ] = False,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Return products with this text in their name. Case is ignored."
            ),
        ] = None,
    ) -> Listed:
        source = products_source(
            info.context.organization_id, query, include_archived=include_archived
        )
        return Listed(source, Product.of)

    @strawberry.field(
        description="What numbers of units would cost at a metered price, in the same order. "
        "Nothing is created, and the meter need not exist.",
        extensions=[requires(_READ, Scope.BILLING_WRITE)],
    )
    def price_examples(
        self,
        price: Annotated[MeteredPriceInput, strawberry.argument(description="The price.")],
        units: ExampleUnits,
        values: ExampleValues = None,
    ) -> list[PriceExample]:
        draft = price.draft()
        for problem in draft.problems("price"):
            raise bad_input(problem)
        return price_examples(draft.tariff(), units, values)

    @connection(
        MeterCreditBenefit, description="All benefits, oldest first.", extensions=[requires(_READ)]
    )
    def benefits(
        self,
        info: Info,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Return benefits with this text in their description. Case is ignored."
            ),
        ] = None,
    ) -> Listed:
        found = has_text(("description",), query)
        source = rows_source(BenefitRow, info.context.organization_id, *found)
        return Listed(source, MeterCreditBenefit.of)

    @strawberry.field(
        description="A subscription by its id. Null if there is none.",
        extensions=[requires(_READ)],
    )
    async def subscription(self, info: Info, id: Id) -> CustomerSubscription | None:
        return await one(info.context, id, CustomerSubscription)

    @connection(
        CustomerSubscription,
        description="All subscriptions, oldest first.",
        extensions=[requires(_READ)],
    )
    def subscriptions(
        self,
        info: Info,
        status: Annotated[
            SubscriptionStatus | None,
            strawberry.argument(description="Return subscriptions with this status."),
        ] = None,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Return subscriptions of this customer."),
        ] = None,
        product_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Return subscriptions to this product."),
        ] = None,
        ends_before: Annotated[
            datetime | None,
            strawberry.argument(
                description="Return subscriptions whose current period, or last one, ends before "
                "this instant."
            ),
        ] = None,
    ) -> Listed:
        query = SubscriptionQuery(
            status=status and status.value,
            customer_id=key_to_list(customer_id, "Customer"),
            product_id=key_to_list(product_id, "Product"),
            ends_before=ends_before,
        )
        source = subscriptions_source(info.context.organization_id, query)
        return Listed(source, CustomerSubscription.of)

    @strawberry.field(
        description="What a change of a subscription would make, if it were made now.",
        extensions=[requires(_READ)],
    )
    async def subscription_change_preview(
        self,
        info: Info,
        input: Annotated[
            CustomerSubscriptionChangeInput,
            strawberry.argument(description="The change. Its idempotencyKey has no effect."),
        ],
    ) -> SubscriptionChangePreview:
        try:
            subscription_id, change = requested_change(input)
            found = await preview_change(info.context.organization_id, subscription_id, change)
        except RefusedError as refused:
            [first, *_] = refused.problems
            if first.code == "NOT_FOUND":
                raise NotFound(first.message, path=list(first.path)) from None
            raise bad_input(first) from None
        return await SubscriptionChangePreview.of(info, found)

    @strawberry.field(
        description="An invoice by its id. Null if there is none.", extensions=[requires(_READ)]
    )
    async def invoice(self, info: Info, id: Id) -> Invoice | None:
        return await one(info.context, id, Invoice)

    @connection(
        Invoice,
        description="All invoices, in the order of `issuedAt`.",
        extensions=[requires(_READ)],
    )
    async def invoices(
        self,
        info: Info,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Return invoices of the customer with this id in Metergraph."
            ),
        ] = None,
        external_customer_id: Annotated[
            str | None,
            strawberry.argument(
                description="Return invoices of the customer with this id of yours."
            ),
        ] = None,
        subscription_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Return invoices of this subscription."),
        ] = None,
        status: Annotated[
            InvoiceStatus | None,
            strawberry.argument(description="Return invoices with this status."),
        ] = None,
        issued_after: Annotated[
            datetime | None,
            strawberry.argument(description="Return invoices issued at or after this instant."),
        ] = None,
        issued_before: Annotated[
            datetime | None,
            strawberry.argument(description="Return invoices issued before this instant."),
        ] = None,
        order: Annotated[
            ListOrder | None, strawberry.argument(description="Which invoices come first.")
        ] = ListOrder.OLDEST,
    ) -> Listed:
        query = InvoiceQuery(
            customer_id=await customer_to_list(info.context, customer_id, external_customer_id),
            subscription_id=key_to_list(subscription_id, "CustomerSubscription"),
            status=status and status.value,
            issued_after=issued_after,
            issued_before=issued_before,
        )
        source = invoices_source(
            info.context.organization_id, query, newest_first=order is ListOrder.NEWEST
        )
        return Listed(source, Invoice.of)

    @strawberry.field(
        description="What was invoiced over time, in one currency. Invoices count when they were"
        " issued, before balances are used; credit notes are subtracted when they are issued, and"
        " invoices when they are voided. Drafts do not count. At most 10,000 points.",
        extensions=[requires(_READ)],
    )
    async def revenue(
        self,
        info: Info,
        start: Annotated[
            datetime,
            strawberry.argument(description="Include invoices issued at or after this instant."),
        ],
        end: Annotated[
            datetime,
            strawberry.argument(description="Include invoices issued before this instant."),
        ],
        interval: EachInterval,
        timezone: NullableTimeZone = None,
        currency: Annotated[
            CurrencyCode | None,
            strawberry.argument(
                description="The currency. By default, the most frequent one among the latest "
                "invoices and the prices, or USD if there are none."
            ),
        ] = None,
    ) -> Revenue:
        organization_id = info.context.organization_id
        try:
            points = windows(start, end, interval, zone_of(timezone or "UTC"))
        except RangeError as error:
            raise BadUserInput(str(error), path=[error.argument]) from None
        code = currency or await most_used_currency(organization_id) or "USD"
        amounts = await invoiced(organization_id, code, points)
        return Revenue(
            points=[
                RevenuePoint(start=point.start, end=point.end, amount=BigInt(amount))
                for point, amount in zip(points, amounts, strict=True)
            ],
            total=BigInt(sum(amounts)),
            currency=CurrencyCode(code),
        )
