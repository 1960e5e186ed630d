"""UsageCheck: whether a customer may use more units on a meter."""

from datetime import datetime
from decimal import Decimal

import strawberry

from schema.context import Info


@strawberry.type(
    description="Whether a customer may use more units on a meter. Nothing is reserved: two "
    "checks at once can both be allowed."
)
class UsageCheck:
    position: strawberry.Private[int]
    allowed: bool = strawberry.field(
        description="Whether credit of so many units remains or hasMeteredPrice. False for an "
        "archived meter, which counts nothing."
    )
    balance: Decimal = strawberry.field(
        description="The balance of the CustomerMeter: creditedUnits - consumedUnits. 0 if the "
        "customer has neither credit nor usage on the meter."
    )
    has_metered_price: bool = strawberry.field(
        description="Whether a subscription that has started and not ended has a price on the "
        "meter, which charges for usage that credit does not cover. During a trial, that usage is "
        "free."
    )

    @strawberry.field(
        description="Every event that was stored before this instant is included in balance. "
        "Selecting it takes two more statements."
    )
    async def complete_through(self, info: Info) -> datetime:
        return await info.context.loaders.complete_through.load(self.position)
