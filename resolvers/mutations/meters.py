"""Mutations about meters: create, update, archive, take back."""

from typing import Annotated, Any

import strawberry

from billing.subscriptions.meter_use import meter_in_use
from metering.audit.recompute import recompute_customer_meter
from metering.meters import (
    MeterChanges,
    MeterRefusal,
    archive_meter,
    create_meter,
    unarchive_meter,
    update_meter,
)
from resolvers.mutating import mutates
from resolvers.texts import NAME, UNIT, check_texts
from schema.context import Info, Scope
from schema.errors import ErrorCode, UserError, user_error
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
    async def meter_create(
        self,
        info: Info,
        input: Annotated[MeterCreateInput, strawberry.argument(description="The meter.")],
    ) -> MeterCreatePayload:
        filter_ = read_filter(input.filter, "filter")
        aggregation = read_aggregation(input.aggregation, "aggregation")
        errors = check_texts(("name", input.name, NAME), ("unit", input.unit, UNIT))
        if errors or isinstance(filter_, list) or isinstance(aggregation, list):
            return MeterCreatePayload(user_errors=[*errors, *_errors(filter_, aggregation)])
        organization_id = info.context.organization_id
        row = await create_meter(organization_id, input.name, input.unit, filter_, aggregation)
        return MeterCreatePayload(meter=Meter.of(row))

    @strawberry.mutation(
        description="Changes a meter. Once the meter has counted an event, changing its filter "
        "or aggregation is refused with METER_LOCKED.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_update(
        self,
        info: Info,
        input: Annotated[MeterUpdateInput, strawberry.argument(description="The changes.")],
    ) -> MeterUpdatePayload:
        filter_ = read_filter(input.filter, "filter") if input.filter else None
        aggregation = (
            read_aggregation(input.aggregation, "aggregation") if input.aggregation else None
        )
        sets_unit = input.unit is not strawberry.UNSET
        unit = input.unit if sets_unit else None
        errors = check_texts(("name", input.name, NAME), ("unit", unit, UNIT))
        if errors or isinstance(filter_, list) or isinstance(aggregation, list):
            return MeterUpdatePayload(user_errors=[*errors, *_errors(filter_, aggregation)])
        meter_id = decode_id(input.id, "Meter")
        if meter_id is None:
            return MeterUpdatePayload(user_errors=[_not_found()])
        changes = MeterChanges(input.name, sets_unit, unit, filter_, aggregation)
        found = await update_meter(info.context.organization_id, meter_id, changes)
        if isinstance(found, MeterRefusal):
            return MeterUpdatePayload(user_errors=[_refusal(found)])
        return MeterUpdatePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Archives a meter, which then stops counting. Refused while a product on "
        "sale or a subscription uses the meter, and while its usage is still to be "
        "invoiced.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_archive(
        self,
        info: Info,
        input: Annotated[MeterArchiveInput, strawberry.argument(description="The meter's id.")],
    ) -> MeterArchivePayload:
        meter_id = decode_id(input.id, "Meter")
        if meter_id is None:
            return MeterArchivePayload(user_errors=[_not_found()])
        found = await archive_meter(info.context.organization_id, meter_id, meter_in_use)
        if isinstance(found, MeterRefusal):
            return MeterArchivePayload(user_errors=[_refusal(found)])
        return MeterArchivePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Unarchives a meter, which then counts the events that it missed.",
        extensions=[mutates(_WRITE)],
    )
    async def meter_unarchive(
        self,
        info: Info,
        input: Annotated[MeterArchiveInput, strawberry.argument(description="The meter's id.")],
    ) -> MeterUnarchivePayload:
        meter_id = decode_id(input.id, "Meter")
        if meter_id is None:
            return MeterUnarchivePayload(user_errors=[_not_found()])
        found = await unarchive_meter(info.context.organization_id, meter_id)
        if isinstance(found, MeterRefusal):
            return MeterUnarchivePayload(user_errors=[_refusal(found)])
        return MeterUnarchivePayload(meter=Meter.of(found))

    @strawberry.mutation(
        description="Recomputes a customer's usage of a meter from the raw events, and corrects "
        "the cached usage if it differs. Needs METERS_WRITE and USAGE_READ.",
        extensions=[mutates(Scope.METERS_WRITE, and_=Scope.USAGE_READ)],
    )
    async def customer_meter_recompute(
        self,
        info: Info,
        input: Annotated[
            CustomerMeterRecomputeInput, strawberry.argument(description="The customer meter.")
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


def _errors(*found: Any) -> list[UserError]:
    return [error for errors in found if isinstance(errors, list) for error in errors]


def _refusal(refusal: MeterRefusal) -> UserError:
    return user_error(ErrorCode[refusal.code], refusal.message, *refusal.path)


def _not_found() -> UserError:
    return user_error(ErrorCode.NOT_FOUND, "There is no meter with this id.", "id")
