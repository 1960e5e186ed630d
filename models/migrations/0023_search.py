"""Indexes for finding customers by prefixes of their external id, name and email, and of words."""

from tortoise import migrations
from tortoise.migrations import operations as ops

_BEGINNING = """
CREATE INDEX customer_{column}_text
ON customer (organization_id, (lower({column} COLLATE any_case) COLLATE "C"))
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0022_behind_periods")]

    initial = False

    operations = [
        ops.RunSQL(
            [
                *(_BEGINNING.format(column=column) for column in ("external_id", "name", "email")),
                # Each word is prefixed with the organization's id, because without an extension a
                # GIN index cannot have a UUID column.
                """
                CREATE INDEX customer_words ON customer USING gin (
                    array_to_tsvector(string_to_array(regexp_replace(
                        btrim(regexp_replace(
                            lower((
                                coalesce(external_id, '') || ' ' || coalesce(name, '') || ' '
                                || coalesce(email, '')
                            ) COLLATE any_case),
                            '[^[:alnum:]]+', ' ', 'g'
                        )),
                        '[^ ]+', organization_id::text || '\\&', 'g'
                    ), ' '))
                )
                """,
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
