"""How far a customer's time is closed into billing periods, and what came late into it."""

from tortoise import fields
from tortoise.models import Model

from models.identifiers import new_id


class BillingFrontier(Model):
    """A customer's closed time ends at `closed_through`; an event from before that is late.

    `late_from` is the earliest late event that no rating has seen yet. Its key in the database
    is (organization, customer).
    """

    organization_id = fields.UUIDField()
    customer_id = fields.UUIDField(primary_key=True, default=new_id)
    closed_through = fields.DatetimeField()
    late_from = fields.DatetimeField(null=True)

    class Meta:
        table = "billing_frontier"
