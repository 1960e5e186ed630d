"""Mutation customerMeterRecompute: cached usage held against the raw events."""

from typing import Annotated

import strawberry

from metering.audit.recompute import recompute_customer_meter
from resolvers.mutating import mutates
from schema.context import Info, Scope
from schema.errors import ErrorCode, user_error
from schema.ids import decode_id
from schema.inputs.meters import CustomerMeterRecomputeInput
from schema.types.customer_meter import CustomerMeter
from schema.types.payloads import CustomerMeterRecomputePayload


@strawberry.type
class RecomputeMutation:
    @strawberry.mutation(
        description="Recomputes a customer's usage of a meter from the raw events, compares it "
        "with what is cached, and repairs what is off. Needs METERS_WRITE and USAGE_READ.",
        extensions=[mutates(Scope.METERS_WRITE, and_=Scope.USAGE_READ)],
    )
    async def customer_meter_recompute(
        self,
        info: Info,
        input: Annotated[
            CustomerMeterRecomputeInput, strawberry.argument(description="Whose usage.")
        ],
    ) -> CustomerMeterRecomputePayload:
        key = decode_id(input.customer_meter_id, "CustomerMeter")
        organization_id = info.context.organization_id
        found = await recompute_customer_meter(organization_id, key) if key else None
        row = await info.context.loaders.customer_meter.load(key) if found and key else None
        if found is None or row is None:
            message = "There is no customer meter with this id."
            error = user_error(ErrorCode.NOT_FOUND, message, "customerMeterId")
            return CustomerMeterRecomputePayload(user_errors=[error])
        return CustomerMeterRecomputePayload(
            customer_meter=CustomerMeter.of(row), drift=found.drift
        )
