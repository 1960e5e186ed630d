"""Subscriptions, their closed periods, and the meters that they hold."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class CustomerSubscription(Model):
    """A customer's subscription to a product.

    `status` is SCHEDULED, TRIALING, ACTIVE or CANCELED. Paid periods are counted from `anchor_at`.
    The current period, for which the fixed prices are paid, consists of usage periods, by which
    usage is billed and credit granted. `period_index` numbers the current usage period among all of
    them. Of a canceled subscription, both are the last ones. A scheduled one has empty ones at its
    start. Each is the end of a whole one that began at `whole_start` or `usage_whole_start`, which
    is null if that was before it was stored.

    `pending_product_id` and `pending_quantity` apply from the next period; both are null if no
    change is scheduled. `discount` is taken off the invoices of `discount_periods` more periods, or
    of all if that is null. `paid_discount` was taken off what was paid in advance for the current
    period. Both are written and read by billing.rating.discounts.

    `trial_notice_at`: when the end of the trial is announced; null from then on.
    `corrections_due_at`: when a canceled subscription is next billed for late events.
    `invoicing_problem`: why its invoices are not made. `revision` is the log's revision at the last
    change; every statement that changes a row writes it (`STAMPED` in billing).
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    product_id = fields.UUIDField()
    quantity = fields.IntField(default=1, db_default=1)
    status = fields.CharField(max_length=16)
    started_at = fields.DatetimeField()
    trial_ends_at = fields.DatetimeField(null=True)
    trial_notice_at = fields.DatetimeField(null=True)
    anchor_at = fields.DatetimeField()
    period_index = fields.IntField()
    current_period_start = fields.DatetimeField()
    current_period_end = fields.DatetimeField()
    whole_start = fields.DatetimeField(null=True)
    usage_period_start = fields.DatetimeField()
    usage_period_end = fields.DatetimeField()
    usage_whole_start = fields.DatetimeField(null=True)
    cancel_at_period_end = fields.BooleanField(default=False)
    pending_product_id = fields.UUIDField(null=True)
    pending_quantity = fields.IntField(null=True)
    discount = ExactJSONField(null=True)
    discount_periods = fields.IntField(null=True)
    paid_discount = ExactJSONField(null=True)
    ended_at = fields.DatetimeField(null=True)
    corrections_due_at = fields.DatetimeField(null=True)
    invoicing_problem = fields.TextField(null=True)
    revision = fields.BigIntField(default=0)
    created_at = fields.DatetimeField()

    class Meta:
        table = "customer_subscription"
        indexes = (
            Index(fields=("organization_id", "status", "id"), name="customer_subscription_status"),
            Index(
                fields=("organization_id", "customer_id", "id"),
                name="customer_subscription_customer",
            ),
            Index(
                fields=("organization_id", "product_id", "status"),
                name="customer_subscription_product",
            ),
            Index(
                fields=("organization_id", "current_period_end"), name="customer_subscription_ends"
            ),
        )


class SubscriptionMeter(Model):
    """Reserves a meter of a customer for a live subscription: no other may price or credit it.

    The key in the database is (organization, customer, meter).
    """

    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField(primary_key=True)
    subscription_id = fields.UUIDField()

    class Meta:
        table = "subscription_meter"
        indexes = (
            Index(
                fields=("organization_id", "subscription_id"),
                name="subscription_meter_subscription",
            ),
        )


class SubscriptionPeriod(Model):
    """A closed usage period of a subscription.

    `charges` are the lines of its invoice that do not depend on usage: those in advance for the
    period that follows, and prorated ones. `invoiced_at` is null while it waits for its events to
    be counted; `invoice_id` stays null if there was nothing to invoice. `draft_until`: its invoice
    is a draft until then; null from then on. `is_last`: the subscription ended with it.

    `minimum_amount` is the least that its usage costs, with a price for its lines. `discount` is
    taken off its usage and its charges. Both are in proportion to time, and null if there is none.
    `minimum_billed` and `discount_billed` are what invoices have billed of them, null before the
    first.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    subscription_id = fields.UUIDField()
    period_index = fields.IntField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    is_last = fields.BooleanField()
    charges = ExactJSONField(default=list, db_default=[])
    closed_at = fields.DatetimeField()
    invoiced_at = fields.DatetimeField(null=True)
    invoice_id = fields.UUIDField(null=True)
    draft_until = fields.DatetimeField(null=True)
    minimum_amount = fields.BigIntField(null=True)
    minimum_price_id = fields.UUIDField(null=True)
    minimum_billed = NumericField(null=True)
    discount = ExactJSONField(null=True)
    discount_billed = NumericField(null=True)

    class Meta:
        table = "subscription_period"
        unique_together = (("organization_id", "subscription_id", "period_index"),)
