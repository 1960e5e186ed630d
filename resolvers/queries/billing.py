"""Query fields about products, subscriptions and invoices."""

from typing import Annotated

import strawberry

from models import Benefit as BenefitRow
from models import Invoice as InvoiceRow
from resolvers.queries.nodes import one
from schema.billing_enums import SubscriptionStatus
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import Id
from schema.loaders.billing import products_source, subscriptions_source
from schema.loaders.tables import rows_source
from schema.permissions import requires
from schema.types.invoice import Invoice
from schema.types.product import MeterCreditBenefit, Product
from schema.types.subscription import CustomerSubscription

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
    ) -> Listed:
        return Listed(
            products_source(info.context.organization_id, include_archived=include_archived),
            Product.of,
        )

    @connection(
        MeterCreditBenefit, description="All benefits, oldest first.", extensions=[requires(_READ)]
    )
    def benefits(self, info: Info) -> Listed:
        return Listed(rows_source(BenefitRow, info.context.organization_id), MeterCreditBenefit.of)

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
    ) -> Listed:
        return Listed(
            subscriptions_source(info.context.organization_id, status and status.value),
            CustomerSubscription.of,
        )

    @strawberry.field(
        description="An invoice by its id. Null if there is none.", extensions=[requires(_READ)]
    )
    async def invoice(self, info: Info, id: Id) -> Invoice | None:
        return await one(info.context, id, Invoice)

    @connection(Invoice, description="All invoices, oldest first.", extensions=[requires(_READ)])
    def invoices(self, info: Info) -> Listed:
        return Listed(rows_source(InvoiceRow, info.context.organization_id), Invoice.of)
