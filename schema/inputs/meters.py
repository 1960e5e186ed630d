"""Inputs of the mutations about meters."""

import strawberry

from schema.inputs.idempotency import idempotency_key
from schema.inputs.meter_filter import MeterAggregationInput, MeterFilterInput


@strawberry.input(description="A new meter. It counts past events too.")
class MeterCreateInput:
    name: str = strawberry.field(description="What people call it: 1 to 256 characters.")
    unit: str | None = strawberry.field(
        default=None, description="What one unit is called, e.g. token: 1 to 64 characters."
    )
    filter: MeterFilterInput = strawberry.field(description="Which events it counts.")
    aggregation: MeterAggregationInput = strawberry.field(description="What it makes of them.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes of a meter: what is left out stays. Once it has counted an event, filter "
    "and aggregation are fixed."
)
class MeterUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which meter.")
    name: str | None = strawberry.field(
        default=None, description="What people call it: 1 to 256 characters."
    )
    unit: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What one unit is called: 1 to 64 characters; null takes it away.",
    )
    filter: MeterFilterInput | None = strawberry.field(
        default=None, description="Which events it counts."
    )
    aggregation: MeterAggregationInput | None = strawberry.field(
        default=None, description="What it makes of them."
    )


@strawberry.input(description="Whose cached usage to recompute.")
class CustomerMeterRecomputeInput:
    customer_meter_id: strawberry.ID = strawberry.field(description="The CustomerMeter, by its id.")


@strawberry.input(description="Which meter to archive, or to take back.")
class MeterArchiveInput:
    id: strawberry.ID = strawberry.field(description="Which meter.")
