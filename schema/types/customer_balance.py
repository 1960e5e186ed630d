"""CustomerBalance: what a customer is owed."""

import strawberry

from schema.scalars import BigInt, CurrencyCode


@strawberry.type(description="What a customer is owed in a currency.")
class CustomerBalance:
    currency: CurrencyCode = strawberry.field(description="The currency.")
    amount: BigInt = strawberry.field(description="The amount in minor units, above zero.")
