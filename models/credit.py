"""Credit: grants of units, and what each has left in the periods of a customer on a meter."""

from decimal import Decimal

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import NumericField
from models.identifiers import new_id


class CreditGrant(Model):
    """Units that a customer may use on a meter from `effective_at` until `expires_at`.

    A null `effective_at` is the time before the customer's first subscription with the meter. Lower
    priorities are used first. A grant that is not `is_rolling` ends with the period that it is in.
    A benefit's grant keeps what the benefit grants for a whole period, `whole_units`, and its
    `rollover_limit`. `metered_period_id` is the period in which it was granted.

    Its key in the database is (organization, id).
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    meter_id = fields.UUIDField()
    metered_period_id = fields.UUIDField()
    units = NumericField()
    priority = fields.IntField()
    effective_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    is_rolling = fields.BooleanField()
    benefit_id = fields.UUIDField(null=True)
    whole_units = NumericField(null=True)
    rollover_limit = NumericField(null=True)
    reason = fields.CharField(max_length=1000, null=True)
    created_at = fields.DatetimeField()
    voided_at = fields.DatetimeField(null=True)
    void_reason = fields.CharField(max_length=1000, null=True)

    class Meta:
        table = "credit_grant"
        indexes = (
            Index(
                fields=("organization_id", "customer_id", "meter_id", "id"),
                name="credit_grant_customer_meter",
            ),
        )


class CreditHolding(Model):
    """A grant in a metered period: the units that came with it, and what happened to them.

    `revoked` were taken back at once and `taken` by hand; `burned` is what usage had burned when
    the period was closed or last rated. When the period ends, `revocable` units are taken back if
    they are unused.

    Its key in the database is (organization, period, grant).
    """

    organization_id = fields.UUIDField()
    metered_period_id = fields.UUIDField()
    credit_grant_id = fields.UUIDField(primary_key=True, default=new_id)
    brought = NumericField()
    revoked = NumericField(default=Decimal(0))
    taken = NumericField(default=Decimal(0))
    revocable = NumericField(default=Decimal(0))
    burned = NumericField(default=Decimal(0))

    class Meta:
        table = "credit_holding"
        indexes = (
            Index(
                fields=("organization_id", "credit_grant_id"),
                name="credit_holding_grant",
            ),
        )
