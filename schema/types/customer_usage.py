"""CustomerQuantity and CustomerSeries: a meter's top customers, and a customer's usage by meter."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.types.quantities import MeterQuantities

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.meter import Meter


@strawberry.type(description="A customer's usage of a meter over a range of time.")
class CustomerQuantity:
    customer: Annotated["Customer", strawberry.lazy("schema.types.customer")] = strawberry.field(
        description="The customer."
    )
    quantity: Decimal | None = strawberry.field(description="The usage in the meter's units.")


@strawberry.type(description="A customer's usage of a meter over time.")
class CustomerSeries:
    meter: Annotated["Meter", strawberry.lazy("schema.types.meter")] = strawberry.field(
        description="The meter."
    )
    quantities: MeterQuantities = strawberry.field(description="The customer's usage of it.")
