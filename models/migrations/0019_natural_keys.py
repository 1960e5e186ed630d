"""Tables with a key of their own have no id beside it."""

from tortoise import migrations
from tortoise.migrations import operations as ops

_TABLES = (
    "customer_meter_value",
    "event_name_seen",
    "subscription_meter",
    "usage_bucket",
    "usage_value",
)


class Migration(migrations.Migration):
    dependencies = [("models", "0018_failing_meters")]

    initial = False

    operations = [
        # As SQL, because the ORM knows no key of several columns. It rewrites nothing: a row keeps
        # the room of its id until it is updated.
        ops.RunSQL(
            [f"ALTER TABLE {table} DROP COLUMN id" for table in _TABLES],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
