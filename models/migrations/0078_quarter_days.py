"""Keeps usage by dimension of all customers by six hours, too."""

from tortoise import migrations
from tortoise.migrations import operations as ops

_EVERYBODY = "00000000-0000-0000-0000-000000000000"
_QUARTER_DAYS = "00000000-0000-0006-0000-000000000000"
_LATEST = (
    "(array_agg({column} ORDER BY latest_at DESC, latest_event_id DESC)"
    " FILTER (WHERE latest_value IS NOT NULL))[1]"
)


class Migration(migrations.Migration):
    dependencies = [("models", "0071_values_over_time")]

    initial = False

    operations = [
        ops.RunSQL(
            [
                f"""
                CREATE TABLE dimension_bucket_quarter_day PARTITION OF dimension_bucket
                FOR VALUES IN ('{_QUARTER_DAYS}') WITH (fillfactor = 50)
                """,
                # Columns of functions that a meter does not have are empty in all of its rows.
                f"""
                INSERT INTO dimension_bucket (
                    organization_id, meter_id, customer_id, bucket, combination, count, skipped,
                    sum, minimum, maximum, latest_value, latest_at, latest_event_id
                )
                SELECT organization_id, meter_id, '{_QUARTER_DAYS}',
                       date_bin('6 hours', bucket, TIMESTAMPTZ '1970-01-01 00:00Z') AS begun,
                       combination, sum(count), sum(skipped), sum(sum), min(minimum), max(maximum),
                       {_LATEST.format(column="latest_value")},
                       {_LATEST.format(column="latest_at")},
                       {_LATEST.format(column="latest_event_id")}
                FROM dimension_bucket
                WHERE customer_id = '{_EVERYBODY}'
                GROUP BY organization_id, meter_id, begun, combination
                ORDER BY organization_id, meter_id, begun, combination
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
