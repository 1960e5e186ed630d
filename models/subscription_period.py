"""A period of a subscription that is over. Its key makes the cycle happen once only."""

from tortoise import fields
from tortoise.models import Model

from models.identifiers import new_id


class SubscriptionPeriod(Model):
    """A closed period of a subscription.

    `invoiced_at` is null while it waits for its events to be counted; `invoice_id` stays null
    where there was nothing to put on an invoice. `is_last`: the subscription ended with it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    subscription_id = fields.UUIDField()
    period_index = fields.IntField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    is_last = fields.BooleanField()
    closed_at = fields.DatetimeField()
    invoiced_at = fields.DatetimeField(null=True)
    invoice_id = fields.UUIDField(null=True)

    class Meta:
        table = "subscription_period"
        unique_together = (("organization_id", "subscription_id", "period_index"),)
