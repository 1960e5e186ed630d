"""Mutations about meters: create, update, archive, unarchive."""

from typing import Any

import strawberry

from billing.catalog.price_meters import needs_of_rates
from billing.periods.billed_meters import meter_in_use
from metering.audit.recompute import recompute_customer_meter
from metering.language.dimensions import dimension_problems
from metering.meters import (
    MeterChanges,
    archive_meter,
    create_meter,
    unarchive_meter,
    update_meter,
)
from metering.problems import Problem, RefusedError
from metering.texts import NAME, UNIT, given_name_problems
from models import CustomerMeter as CustomerMeterRow
from resolvers.mutating import Audited, mutates
from resolvers.refusals import not_found, required_id
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.meter_filter import read_aggregation, read_filter
from schema.inputs.meters import (
    CustomerMeterRecomputeInput,
    MeterArchiveInput,
    MeterCreateInput,
    MeterUpdateInput,
)
from schema.types.customer_meter import CustomerMeter
from schema.types.meter import Meter
from schema.types.payloads import (
    CustomerMeterRecomputePayload,
    MeterArchivePayload,
    MeterCreatePayload,
    MeterUnarchivePayload,
    MeterUpdatePayload,
)

_WRITE = Scope.METERS_WRITE


@strawberry.type
class MeterMutation:
    @strawberry.mutation(
        description="Creates a meter, which also counts the events that are already stored.",
        extensions=[mutates(_WRITE, makes="meter")],
    )
    async def meter_create(self, info: Info, input: MeterCreateInput) -> MeterCreatePayload:
        filter_ = read_filter(input.filter, "filter")
        aggregation = read_aggregation(input.aggregation, "aggregation")
        dimensions = tuple(input.dimensions or ())
        problems = given_name_problems(("name", input.name, NAME), ("unit", input.unit, UNIT))
        problems += dimension_problems(dimensions)
        if problems or isinstance(filter_, list) or isinstance(aggregation, list):
            raise RefusedError(*problems, *_problems(filter_, aggregation))
        organization_id = info.context.organization_id
        row = await create_meter(
            organization_id, input.name, input.unit, filter_, aggregation, dimensions
        )
        return MeterCreatePayload(meter=Meter.of(row))

    @strawberry.mutation(
        description="Changes a meter. Once the meter has counted an event, changing its filter "
        "or aggregation is refused with METER_LOCKED.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_update(self, info: Info, input: MeterUpdateInput) -> MeterUpdatePayload:
        filter_ = read_filter(input.filter, "filter") if input.filter else None
        aggregation = (
            read_aggregation(input.aggregation, "aggregation") if input.aggregation else None
        )
        sets_unit = input.unit is not strawberry.UNSET
        unit = input.unit if sets_unit else None
        dimensions = None if input.dimensions is None else tuple(input.dimensions)
        problems = given_name_problems(("name", input.name, NAME), ("unit", unit, UNIT))
        problems += dimension_problems(dimensions or ())
        if problems or isinstance(filter_, list) or isinstance(aggregation, list):
            raise RefusedError(*problems, *_problems(filter_, aggregation))
        meter_id = required_id(input.id, "Meter", "id")
        changes = MeterChanges(input.name, sets_unit, unit, filter_, aggregation, dimensions)
        found = await update_meter(info.context.organization_id, meter_id, changes, needs_of_rates)
        return MeterUpdatePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Archives a meter, which then stops counting. Refused while a product on "
        "sale or a subscription uses the meter, and while its usage is still to be "
        "invoiced.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_archive(self, info: Info, input: MeterArchiveInput) -> MeterArchivePayload:
        meter_id = required_id(input.id, "Meter", "id")
        found = await archive_meter(info.context.organization_id, meter_id, meter_in_use)
        return MeterArchivePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Unarchives a meter, which then counts the events that it missed.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_unarchive(self, info: Info, input: MeterArchiveInput) -> MeterUnarchivePayload:
        meter_id = required_id(input.id, "Meter", "id")
        found = await unarchive_meter(info.context.organization_id, meter_id)
        return MeterUnarchivePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Recomputes a customer's usage of a meter from the raw events, and corrects "
        "the cached usage if it differs. Needs METERS_WRITE and USAGE_READ.",
        extensions=[mutates(Scope.METERS_WRITE, and_=Scope.USAGE_READ, audited=Audited.AFTERWARDS)],
    )
    async def customer_meter_recompute(
        self, info: Info, input: CustomerMeterRecomputeInput
    ) -> CustomerMeterRecomputePayload:
        key = decode_id(input.customer_meter_id, "CustomerMeter")
        organization_id = info.context.organization_id
        found = await recompute_customer_meter(organization_id, key) if key else None
        row = (
            await info.context.loaders.by_id(CustomerMeterRow).load(key) if found and key else None
        )
        if found is None or row is None:
            raise not_found("CustomerMeter", "customerMeterId")
        return CustomerMeterRecomputePayload(
            customer_meter=CustomerMeter.of(row), drift=found.drift
        )


def _problems(*found: Any) -> list[Problem]:
    return [one for problems in found if isinstance(problems, list) for one in problems]
