"""Query fields about customers."""

from typing import Annotated

import strawberry

from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.customers import CustomerId, ExternalCustomerId, find_customer
from schema.enums import ListOrder
from schema.errors import BadUserInput
from schema.loaders.customers import customers_source
from schema.permissions import requires
from schema.types.customer import Customer


@strawberry.type
class CustomerQuery:
    @strawberry.field(
        description="A customer by exactly one of id and externalId. Null if there is none.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    async def customer(
        self,
        info: Info,
        id: CustomerId = None,
        external_id: ExternalCustomerId = None,
    ) -> Customer | None:
        if (id is None) == (external_id is None):
            raise BadUserInput("Give exactly one of `id` and `externalId`")
        row = await find_customer(info.context, id, external_id)
        return Customer.of(row) if row else None

    @connection(
        Customer,
        description="All customers, in the order in which they were created.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    def customers(
        self,
        info: Info,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Return customers with this text in their externalId, name or "
                "email. Case is ignored."
            ),
        ] = None,
        order: Annotated[
            ListOrder | None, strawberry.argument(description="Which customers come first.")
        ] = ListOrder.OLDEST,
    ) -> Listed:
        source = customers_source(
            info.context.organization_id, query, newest_first=order is ListOrder.NEWEST
        )
        return Listed(source, Customer.of)
