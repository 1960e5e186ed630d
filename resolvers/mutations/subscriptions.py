"""Mutations about subscriptions and credits."""

import strawberry

from billing.subscriptions.life import cancel_subscription, create_subscription
from billing.subscriptions.manual_credit import credit_by_hand
from models import CustomerMeter as CustomerMeterRow
from resolvers.mutating import mutates
from resolvers.refusals import named_customer, required_id
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.subscriptions import (
    CustomerMeterCreditInput,
    CustomerSubscriptionCancelInput,
    CustomerSubscriptionCreateInput,
)
from schema.types.customer_meter import CustomerMeter, CustomerMeterCreditPayload
from schema.types.subscription import (
    CustomerSubscription,
    CustomerSubscriptionCancelPayload,
    CustomerSubscriptionCreatePayload,
)

_WRITE = Scope.BILLING_WRITE


@strawberry.type
class SubscriptionMutation:
    @strawberry.mutation(
        description="Subscribes a customer to a product. The first period's credit is granted, "
        "and charges in advance are invoiced.",
        extensions=[mutates(_WRITE, makes="subscription")],
    )
    async def customer_subscription_create(
        self, info: Info, input: CustomerSubscriptionCreateInput
    ) -> CustomerSubscriptionCreatePayload:
        context = info.context
        customer = await named_customer(context, input.customer_id, input.external_customer_id)
        product_id = required_id(input.product_id, "Product", "productId")
        row = await create_subscription(
            context.organization_id, customer.id, product_id, input.started_at
        )
        return CustomerSubscriptionCreatePayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Cancels a subscription, at the end of its period or immediately.",
        extensions=[mutates(_WRITE, makes="subscription")],
    )
    async def customer_subscription_cancel(
        self, info: Info, input: CustomerSubscriptionCancelInput
    ) -> CustomerSubscriptionCancelPayload:
        context = info.context
        subscription_id = required_id(input.id, "CustomerSubscription", "id")
        row = await cancel_subscription(context.organization_id, subscription_id, input.when)
        return CustomerSubscriptionCancelPayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Credits units manually, or debits them if the number is negative.",
        extensions=[mutates(_WRITE, makes="customer_meter")],
    )
    async def customer_meter_credit(
        self, info: Info, input: CustomerMeterCreditInput
    ) -> CustomerMeterCreditPayload:
        context = info.context
        customer = await named_customer(context, input.customer_id, input.external_customer_id)
        key = await credit_by_hand(
            context.organization_id,
            customer.id,
            decode_id(input.meter_id, "Meter"),
            input.units,
            input.reason,
        )
        row = await context.loaders.by_id(CustomerMeterRow).load(key)
        return CustomerMeterCreditPayload(customer_meter=CustomerMeter.of(row) if row else None)
