"""Lines of invoices keep the steps of their pricing."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField


class Migration(migrations.Migration):
    dependencies = [("models", "0078_quarter_days")]

    initial = False

    # A column without a default is added in an instant.
    operations = [ops.AddField("InvoiceLine", "steps", ExactJSONField(null=True))]
