"""Mutations about usage alerts: create, update and delete."""

import strawberry

from billing.alerts.life import (
    AlertChanges,
    AlertDraft,
    create_alert,
    delete_alert,
    update_alert,
)
from metering.erasing.customers import refuse_erased
from metering.problems import Problem, problem
from resolvers.mutating import mutates
from resolvers.refusals import not_found, required_id
from schema.context import Info, Scope
from schema.customers import find_customer
from schema.ids import NO_KEY, decode_id
from schema.inputs.alerts import (
    UsageAlertCreateInput,
    UsageAlertDeleteInput,
    UsageAlertUpdateInput,
)
from schema.types.alert import (
    UsageAlert,
    UsageAlertCreatePayload,
    UsageAlertDeletePayload,
    UsageAlertUpdatePayload,
)

_WRITE = Scope.ALERTS_WRITE


@strawberry.type
class AlertMutation:
    @strawberry.mutation(
        description="Creates an alert. It triggers at once for customers who have reached the "
        "threshold in their current period.",
        extensions=[mutates(_WRITE, makes="alert")],
    )
    async def usage_alert_create(
        self, info: Info, input: UsageAlertCreateInput
    ) -> UsageAlertCreatePayload:
        context = info.context
        mistakes: list[Problem] = []
        names = (input.customer_id, input.external_customer_id)
        customer = await find_customer(context, *names)
        if None not in names:
            message = "Give at most one of customerId and externalCustomerId."
            mistakes.append(problem("INVALID", message))
        elif customer is None and names != (None, None):
            field = "externalCustomerId" if input.customer_id is None else "customerId"
            mistakes += not_found("Customer", field).problems
        elif customer is not None:
            field = "externalCustomerId" if input.customer_id is None else "customerId"
            await refuse_erased(context.organization_id, customer.id, field)
        meter_id = None
        if input.meter_id is not None:
            meter_id = decode_id(input.meter_id, "Meter") or NO_KEY
        draft = AlertDraft(
            name=input.name,
            kind=input.kind,
            threshold=input.threshold,
            meter_id=meter_id,
            customer_id=None if customer is None else customer.id,
            currency=input.currency,
        )
        row = await create_alert(context.organization_id, draft, *mistakes)
        return UsageAlertCreatePayload(alert=UsageAlert.of(row))

    @strawberry.mutation(
        description="Changes an alert, or enables or disables it.", extensions=[mutates(_WRITE)]
    )
    async def usage_alert_update(
        self, info: Info, input: UsageAlertUpdateInput
    ) -> UsageAlertUpdatePayload:
        alert_id = required_id(input.id, "UsageAlert", "id")
        changes = AlertChanges(input.name, input.threshold, input.enabled)
        row = await update_alert(info.context.organization_id, alert_id, changes)
        return UsageAlertUpdatePayload(alert=UsageAlert.of(row))

    @strawberry.mutation(
        description="Deletes an alert and its triggers. To keep them, disable it.",
        extensions=[mutates(_WRITE)],
    )
    async def usage_alert_delete(
        self, info: Info, input: UsageAlertDeleteInput
    ) -> UsageAlertDeletePayload:
        alert_id = required_id(input.id, "UsageAlert", "id")
        await delete_alert(info.context.organization_id, alert_id)
        return UsageAlertDeletePayload(deleted_id=input.id)
