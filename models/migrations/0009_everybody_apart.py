"""The buckets of all customers get their own partition, apart from those of each customer."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0008_text_in_any_case")]

    initial = False

    operations = [
        # Each bucket of all customers was stored on a different page, among the customers' buckets
        # of the same events, so a month of a meter was read from 2,880 pages.
        ops.RunSQL(
            [
                "ALTER TABLE usage_bucket RENAME TO usage_bucket_customer",
                "ALTER INDEX usage_bucket_pkey RENAME TO usage_bucket_customer_pkey",
                """
                CREATE TABLE usage_bucket (
                    LIKE usage_bucket_customer INCLUDING DEFAULTS INCLUDING COMMENTS,
                    PRIMARY KEY (organization_id, meter_id, customer_id, bucket)
                ) PARTITION BY LIST (customer_id)
                """,
                "ALTER SEQUENCE usage_bucket_id_seq OWNED BY usage_bucket.id",
                # Half of each page is left free, so that new versions of its rows stay on it.
                """
                CREATE TABLE usage_bucket_everybody PARTITION OF usage_bucket
                FOR VALUES IN ('00000000-0000-0000-0000-000000000000') WITH (fillfactor = 50)
                """,
                """
                WITH moved AS (
                    DELETE FROM usage_bucket_customer
                    WHERE customer_id = '00000000-0000-0000-0000-000000000000'
                    RETURNING *
                )
                INSERT INTO usage_bucket_everybody
                SELECT * FROM moved ORDER BY organization_id, meter_id, bucket
                """,
                "ALTER TABLE usage_bucket ATTACH PARTITION usage_bucket_customer DEFAULT",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
