"""Mutations about subscriptions and credits."""

import strawberry

from billing.periods.grants import DEFAULT_PRIORITY
from billing.rating.discounts import Discount
from billing.subscriptions.changes import cancel_change, change_subscription
from billing.subscriptions.discounts import set_discount
from billing.subscriptions.life import (
    SubscriptionDraft,
    cancel_subscription,
    create_subscription,
    resume_subscription,
)
from billing.subscriptions.manual_credit import CreditDraft, credit_by_hand, void_grant
from models import CreditGrant as CreditGrantRow
from models import CustomerMeter as CustomerMeterRow
from resolvers.mutating import mutates
from resolvers.refusals import named_customer, requested_change, required_id
from schema.context import Info, Scope
from schema.ids import decode_id
from schema.inputs.subscriptions import (
    CreditGrantVoidInput,
    CustomerMeterCreditInput,
    CustomerSubscriptionCancelInput,
    CustomerSubscriptionChangeCancelInput,
    CustomerSubscriptionChangeInput,
    CustomerSubscriptionCreateInput,
    CustomerSubscriptionResumeInput,
    SubscriptionDiscountSetInput,
)
from schema.types.credit_grant import CreditGrant, CreditGrantVoidPayload
from schema.types.customer_meter import CustomerMeter, CustomerMeterCreditPayload
from schema.types.invoice import Invoice
from schema.types.subscription import (
    CustomerSubscription,
    CustomerSubscriptionCancelPayload,
    CustomerSubscriptionCreatePayload,
)
from schema.types.subscription_changes import (
    CustomerSubscriptionChangeCancelPayload,
    CustomerSubscriptionChangePayload,
    CustomerSubscriptionResumePayload,
    SubscriptionDiscountSetPayload,
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
        draft = SubscriptionDraft(
            customer_id=customer.id,
            product_id=product_id,
            started_at=input.started_at,
            quantity=1 if input.quantity is None else input.quantity,
            trial_ends_at=input.trial_ends_at,
            trial_days=input.trial_days,
        )
        row = await create_subscription(context.organization_id, draft)
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
        row = await cancel_subscription(
            context.organization_id, subscription_id, input.when, prorate=bool(input.prorate)
        )
        return CustomerSubscriptionCancelPayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Takes back a cancellation that is scheduled for the end of the period.",
        extensions=[mutates(_WRITE, is_repeatable=lambda _sent: True)],
    )
    async def customer_subscription_resume(
        self, info: Info, input: CustomerSubscriptionResumeInput
    ) -> CustomerSubscriptionResumePayload:
        subscription_id = required_id(input.id, "CustomerSubscription", "id")
        row = await resume_subscription(info.context.organization_id, subscription_id)
        return CustomerSubscriptionResumePayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Changes the product or the quantity of a subscription, immediately or from "
        "its next period on. It replaces a change that is pending. An immediate change is prorated "
        "and invoiced at once.",
        extensions=[mutates(_WRITE, makes="subscription", also="invoice")],
    )
    async def customer_subscription_change(
        self, info: Info, input: CustomerSubscriptionChangeInput
    ) -> CustomerSubscriptionChangePayload:
        row, invoice = await change_subscription(
            info.context.organization_id, *requested_change(input)
        )
        return CustomerSubscriptionChangePayload(
            subscription=CustomerSubscription.of(row),
            invoice=None if invoice is None else Invoice.of(invoice),
        )

    @strawberry.mutation(
        description="Drops the change of a subscription that is pending.",
        extensions=[mutates(_WRITE, is_repeatable=lambda _sent: True)],
    )
    async def customer_subscription_change_cancel(
        self, info: Info, input: CustomerSubscriptionChangeCancelInput
    ) -> CustomerSubscriptionChangeCancelPayload:
        subscription_id = required_id(input.id, "CustomerSubscription", "id")
        row = await cancel_change(info.context.organization_id, subscription_id)
        return CustomerSubscriptionChangeCancelPayload(subscription=CustomerSubscription.of(row))

    @strawberry.mutation(
        description="Sets the discount of a subscription, in place of the one that it has, or "
        "removes it.",
        extensions=[mutates(_WRITE, is_repeatable=lambda _sent: True)],
    )
    async def subscription_discount_set(
        self, info: Info, input: SubscriptionDiscountSetInput
    ) -> SubscriptionDiscountSetPayload:
        subscription_id = required_id(input.id, "CustomerSubscription", "id")
        given = Discount(input.percent_off, input.amount_off)
        row = await set_discount(
            info.context.organization_id,
            subscription_id,
            None if given == Discount() else given,
            input.periods,
        )
        return SubscriptionDiscountSetPayload(subscription=CustomerSubscription.of(row))

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
            CreditDraft(
                *(input.units, input.reason, input.effective_at, input.expires_at),
                DEFAULT_PRIORITY if input.priority is None else input.priority,
            ),
        )
        row = await context.loaders.by_id(CustomerMeterRow).load(key)
        return CustomerMeterCreditPayload(customer_meter=CustomerMeter.of(row) if row else None)

    @strawberry.mutation(
        description="Voids what remains of a grant. Usage from before still uses it, also if it "
        "arrives late. If the meter does not count or sum, such late usage finds nothing left.",
        extensions=[mutates(_WRITE, makes="grant")],
    )
    async def credit_grant_void(
        self, info: Info, input: CreditGrantVoidInput
    ) -> CreditGrantVoidPayload:
        context = info.context
        key = decode_id(input.id, "CreditGrant")
        await void_grant(context.organization_id, key, input.reason)
        row = None if key is None else await context.loaders.by_id(CreditGrantRow).load(key)
        return CreditGrantVoidPayload(grant=CreditGrant.of(row) if row else None)
