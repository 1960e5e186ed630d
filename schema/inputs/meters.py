"""Inputs of the mutations about meters."""

import strawberry

from schema.inputs.idempotency import idempotency_key
from schema.inputs.meter_filter import MeterAggregationInput, MeterFilterInput


@strawberry.input(description="A new meter. It also counts the events that are already stored.")
class MeterCreateInput:
    name: str = strawberry.field(description="The name: 1 to 256 characters.")
    unit: str | None = strawberry.field(
        default=None, description="The name of one unit, such as token: 1 to 64 characters."
    )
    filter: MeterFilterInput = strawberry.field(description="The events that the meter counts.")
    aggregation: MeterAggregationInput = strawberry.field(
        description="How the meter aggregates them."
    )
    dimensions: list[str] | None = strawberry.field(
        default_factory=list,
        description="Properties by whose values usage is kept too, such as model: at most 5. Each "
        "is `name` or a path into the metadata. A customer keeps at most 1,000 combinations of "
        "values a month; the rest is one group.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes to a meter. A field that is left out keeps its value. Once the meter "
    "has counted an event, its filter and aggregation cannot change."
)
class MeterUpdateInput:
    id: strawberry.ID = strawberry.field(description="The meter's id.")
    name: str | None = strawberry.field(default=None, description="The name: 1 to 256 characters.")
    unit: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name of one unit: 1 to 64 characters. Null removes it.",
    )
    filter: MeterFilterInput | None = strawberry.field(
        default=None, description="The events that the meter counts."
    )
    aggregation: MeterAggregationInput | None = strawberry.field(
        default=None, description="How the meter aggregates them."
    )
    dimensions: list[str] | None = strawberry.field(
        default=None,
        description="Properties by whose values usage is kept too: at most 5. They can change at "
        "any time; usage by dimension is then counted again from the first event, as "
        "`progress` shows.",
    )


@strawberry.input(description="The customer meter whose cached usage to recompute.")
class CustomerMeterRecomputeInput:
    customer_meter_id: strawberry.ID = strawberry.field(description="The id of the CustomerMeter.")


@strawberry.input(description="The meter to archive or unarchive.")
class MeterArchiveInput:
    id: strawberry.ID = strawberry.field(description="The meter's id.")
