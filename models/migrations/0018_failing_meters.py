"""A meter that cannot be counted falls behind instead of leaving out events."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0017_browser_sessions")]

    initial = False

    operations = [
        # Meters have left out these events. Without their notes, they would be lost for good.
        ops.RunSQL(
            [
                """
                DO $$
                DECLARE left_out bigint;
                BEGIN
                    LOCK TABLE uncounted_event;
                    SELECT count(*) INTO left_out FROM uncounted_event WHERE counted_from IS NULL;
                    IF left_out > 0 THEN
                        RAISE EXCEPTION 'meters have left out % events, see table uncounted_event',
                            left_out
                        USING HINT = 'Run "metergraph recount" of the previous version first.';
                    END IF;
                END $$
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.DeleteModel(name="UncountedEvent"),
        ops.AddField("Meter", "problem", fields.TextField(null=True, unique=False)),
        ops.AddField("Meter", "failing_since", fields.DatetimeField(null=True)),
        ops.AddField("Meter", "retry_at", fields.DatetimeField(null=True)),
    ]
