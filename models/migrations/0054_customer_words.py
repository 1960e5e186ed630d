"""Gives the words of customers a function of their own, whose cost keeps the planner on its index.

The index is made beside the old one without locking out writing; it takes a few seconds for a
million customers. If that is interrupted, the next run removes what is left of it.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

# PL/pgSQL, because a function in SQL would be inlined, and its cost with it. A tsvector of words
# that begin with the organization's id: without an extension a GIN index cannot have a UUID column.
# It names no object of ours, because PostgreSQL analyzes and restores without our search path.
_FUNCTION = """
CREATE OR REPLACE FUNCTION prefixed_words(prefix uuid, words text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
BEGIN
    RETURN array_to_tsvector(string_to_array(regexp_replace(
        btrim(regexp_replace(words, '[^[:alnum:]]+', ' ', 'g')),
        '[^ ]+', prefix::text || '\\&', 'g'
    ), ' '));
END
$$
"""

_INDEX = """
CREATE INDEX CONCURRENTLY customer_words_made ON customer USING gin (prefixed_words(
    organization_id,
    lower((
        coalesce(external_id, '') || ' ' || coalesce(name, '') || ' ' || coalesce(email, '')
    ) COLLATE any_case)
))
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0070_carrying_over")]

    initial = False
    atomic = False

    operations = [
        ops.RunSQL(
            [
                _FUNCTION,
                "DROP INDEX CONCURRENTLY IF EXISTS customer_words_made",
                _INDEX,
                "DROP INDEX CONCURRENTLY IF EXISTS customer_words",
                "ALTER INDEX customer_words_made RENAME TO customer_words",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
