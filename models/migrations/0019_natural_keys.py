"""Drops the ids of tables that have a natural key."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_generator.state import State


class _NaturalKey(ops.AlterField):
    """Drops the id. The ORM knows one column of the natural key.

    It rewrites nothing: a row keeps the space of its id until it is updated.
    """

    def state_forward(self, app_label: str, state: State) -> None:
        """Makes a column the primary key of the model."""
        model = self.get_model_state(state, app_label, self.model_name)
        del model.fields["id"]
        model.options["pk_attr"] = self.name
        super().state_forward(app_label, state)

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: Any = None
    ) -> None:
        """Drops the column."""
        model = self.get_model_state(new_state, app_label, self.model_name)
        drop = ops.RunSQL(f"ALTER TABLE {model.options['table']} DROP COLUMN id")
        await drop.database_forward(app_label, old_state, new_state, state_editor)


class Migration(migrations.Migration):
    dependencies = [("models", "0018_failing_meters")]

    initial = False

    operations = [
        _NaturalKey("CustomerMeterValue", "value", fields.BinaryField(primary_key=True)),
        _NaturalKey("EventName", "name", fields.CharField(primary_key=True, max_length=128)),
        _NaturalKey("SubscriptionMeter", "meter_id", fields.UUIDField(primary_key=True)),
        _NaturalKey("UsageBucket", "bucket", fields.DatetimeField(primary_key=True)),
        _NaturalKey("UsageValue", "value", fields.BinaryField(primary_key=True)),
    ]
