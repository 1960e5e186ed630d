"""An alert of an estimated amount may be of one currency."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0039_dimensions")]

    initial = False

    operations = [
        ops.AddField("UsageAlert", "currency", fields.CharField(max_length=3, null=True)),
    ]
