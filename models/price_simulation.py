"""Simulations of prices over past usage, and what each customer would have paid."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id


class PriceSimulation(Model):
    """Prices and benefits that do not exist, applied to the usage of a past range.

    The key in the database is (organization, id). `status` is RUNNING, DONE or FAILED with a
    `failure`. `prices` are rows of product_price, and `benefits` their definitions. The usage is
    that of the events up to `position`. Amounts are in minor units.

    `simulated` of about `candidates` customers, which are null before the first batch, are looked
    at: those up to `last_customer_id`. The totals are those of their results. The row and its
    results are deleted after `expires_at`.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization_id = fields.UUIDField()
    name = fields.CharField(max_length=256, null=True)
    status = fields.CharField(max_length=8)
    failure = fields.TextField(null=True)
    product_id = fields.UUIDField(null=True)
    currency = fields.CharField(max_length=3)
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    recurring_interval = fields.CharField(max_length=8)
    minimum_amount = fields.BigIntField(null=True)
    prices = ExactJSONField()
    benefits = ExactJSONField()
    position = fields.BigIntField()
    candidates = fields.BigIntField(null=True)
    simulated = fields.BigIntField(default=0)
    last_customer_id = fields.UUIDField(null=True)
    total = NumericField(default=0)
    current_total = NumericField(default=0)
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "price_simulation"


class SimulatedCustomer(Model):
    """What a customer would have paid, and what it was billed. Amounts in minor units.

    The key in the database is (organization, simulation, customer). `lines` are written and read by
    billing.simulations.stored_lines.
    """

    organization_id = fields.UUIDField()
    simulation_id = fields.UUIDField()
    customer_id = fields.UUIDField(primary_key=True)
    amount = fields.BigIntField()
    current_amount = fields.BigIntField()
    difference = fields.BigIntField()
    lines = ExactJSONField()

    class Meta:
        table = "simulated_customer"
        indexes = (
            Index(
                fields=("organization_id", "simulation_id", "difference", "customer_id"),
                name="simulated_customer_difference",
            ),
        )
