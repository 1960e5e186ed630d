"""Query fields about customers."""

from typing import Annotated

import strawberry

from schema.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    connect,
    page_request,
)
from schema.context import Info, Scope
from schema.customers import CustomerId, ExternalCustomerId, find_customer
from schema.errors import BadUserInput
from schema.loaders.customers import customers_source
from schema.permissions import requires
from schema.types.customer import Customer


@strawberry.type
class CustomerQuery:
    @strawberry.field(
        description="By exactly one of id and externalId; null where there is none.",
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

    @strawberry.field(
        description="All customers, oldest first.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    async def customers(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Only those with this text in their externalId, name or email, in "
                "upper or lower case."
            ),
        ] = None,
    ) -> Connection[Customer]:
        request = page_request(info, first, after, last, before)
        source = customers_source(info.context.organization_id, query)
        return await connect(info.context.loaders, source, request, Customer.of)
