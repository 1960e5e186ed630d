"""The credit ledger."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


class CreditEntry(Model):
    """A signed line of a customer's ledger on a meter, never changed.

    `kind` is GRANT, MANUAL, EXPIRY, CARRIED_OVER or REVOKE. `is_rolling`: it may carry over. The
    credit of a period is the sum of its entries without EXPIRY; EXPIRY ends all of it with the
    period, so that the sum over all entries is the credit of the current one.
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
