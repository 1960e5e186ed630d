"""A customer's periods on a meter, the credit in them, and how far time is closed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class MeteredPeriod(Model):
    """One of the consecutive periods of a customer on a meter; at most one of them is open.

    `subscription_id` is null for the time between subscriptions, which has a row only if there is
    credit; `starts_at` is null for the time before the first. CreditHolding has the credit.

    `is_trial`: its usage costs nothing. `share_numerator` / `share_denominator` is the part of a
    whole period that it covers, for what is prorated; both are null for a whole one.

    `is_cut`: a change of the subscription ended it early.

    If the price has rates, `rate_units` is `consumed` by rate, and `billed_rates` is `billed_*` by
    rate; both are null otherwise. If grants begin or end within it, `piece_units` is `consumed` by
    piece and rate. billing.periods.store writes and reads them.

    Once closed, `consumed` is as of `position` of the log. `is_behind`: the meter had not counted
    the whole log then. An open period has these two if a grant has begun or ended within it; its
    present piece began at `turned_at`, and earlier events are late.

    `billed_*` is what invoices have billed, null before the first. `needs_correction`: that is no
    longer right. With a null `billed_amount`, every invoice that billed the period was voided.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    subscription_id = fields.UUIDField(null=True)
    product_price_id = fields.UUIDField(null=True)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    is_trial = fields.BooleanField(default=False, db_default=False)
    share_numerator = fields.BigIntField(null=True)
    share_denominator = fields.BigIntField(null=True)
    is_cut = fields.BooleanField(default=False, db_default=False)
    turned_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    consumed = NumericField(null=True)
    position = fields.BigIntField(null=True)
    is_behind = fields.BooleanField(default=False)
    billed_consumed = NumericField(null=True)
    billed_credited = NumericField(null=True)
    billed_billable = NumericField(null=True)
    billed_amount = NumericField(null=True)
    needs_correction = fields.BooleanField(default=False)
    rate_units = ExactJSONField(null=True)
    billed_rates = ExactJSONField(null=True)
    piece_units = ExactJSONField(null=True)

    class Meta:
        table = "metered_period"
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "meter_id", "starts_at"),
                name="metered_period_chain",
            ),
            Index(
                fields=("organization_id", "subscription_id", "starts_at"),
                name="metered_period_subscription",
            ),
        )


class CreditEntry(Model):
    """A signed line of a customer's ledger on a meter, never changed.

    `kind` is one of billing.periods.ledger. `is_rolling`: it may carry over. Some are about one
    grant. When a period is closed, EXPIRY ends all that the others add up to, so that the sum over
    all entries is the credit of the current period.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    metered_period_id = fields.UUIDField()
    kind = fields.CharField(max_length=16)
    units = NumericField()
    is_rolling = fields.BooleanField()
    benefit_id = fields.UUIDField(null=True)
    reason = fields.CharField(max_length=1000, null=True)
    credit_grant_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "credit_entry"
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "meter_id", "id"),
                name="credit_entry_customer_meter",
            ),
            Index(fields=("organization_id", "metered_period_id"), name="credit_entry_period"),
        )


class BillingFrontier(Model):
    """The end of a customer's closed time, `closed_through`; an event before it is late.

    `late_from` is the earliest late event that no rating has seen yet. Its key in the database
    is (organization, customer).
    """

    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField(primary_key=True, default=new_id)
    closed_through = fields.DatetimeField()
    late_from = fields.DatetimeField(null=True)

    class Meta:
        table = "billing_frontier"
