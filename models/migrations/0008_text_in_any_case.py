"""A collation that knows upper and lower case of all letters, independent of the database's own."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0007_recounting")]

    initial = False

    operations = [
        # A database with the locale C knows only A to Z. PostgreSQL 17 has a builtin provider.
        # Before that we use ICU or, in builds without it, the database's locale.
        ops.RunSQL(
            [
                """
                DO $$
                BEGIN
                    IF current_setting('server_version_num')::int >= 170000 THEN
                        CREATE COLLATION any_case (provider = builtin, locale = 'C.UTF-8');
                    ELSIF EXISTS (
                        SELECT FROM pg_collation
                        WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = 'und-x-icu'
                    ) THEN
                        CREATE COLLATION any_case (provider = icu, locale = 'und');
                    ELSE
                        EXECUTE (
                            SELECT format(
                                'CREATE COLLATION any_case (lc_collate = %L, lc_ctype = %L)',
                                datcollate, datctype
                            )
                            FROM pg_database WHERE datname = current_database()
                        );
                    END IF;
                END $$
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
