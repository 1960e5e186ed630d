"""Mutations about subscriptions and credits."""

from typing import Annotated
from uuid import UUID

import strawberry

from billing.problems import RefusedError, problem
from billing.subscriptions.life import cancel_subscription, create_subscription
from billing.subscriptions.manual_credit import credit_by_hand
from resolvers.mutating import mutates
from resolvers.refusals import errors_of, named_customer
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.subscriptions import (
    CustomerMeterCreditInput,
    CustomerSubscriptionCancelInput,
    CustomerSubscriptionCreateInput,
)
from schema.types.billing_payloads import (
    CustomerMeterCreditPayload,
    CustomerSubscriptionCancelPayload,
    CustomerSubscriptionCreatePayload,
)
from schema.types.customer_meter import CustomerMeter
from schema.types.subscription import CustomerSubscription

_WRITE = Scope.BILLING_WRITE


@strawberry.type
class SubscriptionMutation:
    @strawberry.mutation(
        description="Subscribes a customer to a product. The first period's credit is granted, "
        "and charges in advance are invoiced.",
        extensions=[mutates(_WRITE, makes="subscription")],
    )
    async def customer_subscription_create(
        self,
        info: Info,
        input: Annotated[
            CustomerSubscriptionCreateInput, strawberry.argument(description="The subscription.")
        ],
    ) -> CustomerSubscriptionCreatePayload:
        context = info.context
        try:
            customer = await named_customer(context, input.customer_id, input.external_customer_id)
            product_id = _key(input.product_id, "Product", "product", "productId")
            row = await create_subscription(
                context.organization_id, customer.id, product_id, input.started_at
            )
        except RefusedError as refused:
            return CustomerSubscriptionCreatePayload(user_errors=errors_of(refused))
        return CustomerSubscriptionCreatePayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Cancels a subscription, at the end of its period or immediately.",
        extensions=[mutates(_WRITE, makes="subscription")],
    )
    async def customer_subscription_cancel(
        self,
        info: Info,
        input: Annotated[
            CustomerSubscriptionCancelInput,
            strawberry.argument(description="The subscription, and when to cancel it."),
        ],
    ) -> CustomerSubscriptionCancelPayload:
        context = info.context
        try:
            subscription_id = _key(input.id, "CustomerSubscription", "subscription", "id")
            row = await cancel_subscription(context.organization_id, subscription_id, input.when)
        except RefusedError as refused:
            return CustomerSubscriptionCancelPayload(user_errors=errors_of(refused))
        return CustomerSubscriptionCancelPayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Credits units manually, or debits them if the number is negative.",
        extensions=[mutates(_WRITE, makes="customer_meter")],
    )
    async def customer_meter_credit(
        self,
        info: Info,
        input: Annotated[CustomerMeterCreditInput, strawberry.argument(description="The credit.")],
    ) -> CustomerMeterCreditPayload:
        context = info.context
        try:
            customer = await named_customer(context, input.customer_id, input.external_customer_id)
            key = await credit_by_hand(
                context.organization_id,
                customer.id,
                decode_id(input.meter_id, "Meter"),
                input.units,
                input.reason,
            )
        except RefusedError as refused:
            return CustomerMeterCreditPayload(user_errors=errors_of(refused))
        row = await context.loaders.customer_meter.load(key)
        return CustomerMeterCreditPayload(customer_meter=CustomerMeter.of(row) if row else None)


def _key(value: str, type_name: str, called: str, field: str) -> UUID:
    found = decode_id(value, type_name)
    if found is None:
        raise RefusedError(problem("NOT_FOUND", f"There is no {called} with this id.", field))
    return found
