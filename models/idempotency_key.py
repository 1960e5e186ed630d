"""Idempotency keys, with what each mutation made, so that a retry makes nothing twice."""

from tortoise import fields
from tortoise.models import Model


class IdempotencyKey(Model):
    """A key that a mutation used. The primary key in the database is (organization_id, key).

    Written in the mutation's own transaction. `mutation` is the field's name in the schema,
    `input_hash` the SHA-256 of its input, and `result` the global id of what it made. The worker
    deletes keys after 30 days.
    """

    key = fields.CharField(max_length=255, primary_key=True)
    organization_id = fields.UUIDField()
    mutation = fields.CharField(max_length=100)
    input_hash = fields.BinaryField()
    result = fields.CharField(max_length=200)
    created_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "idempotency_key"
