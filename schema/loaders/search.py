"""Searches meters and products by name, customers by id, name and email, and invoices by number.

A customer matches by a prefix of its external id, name or email, or of any word in them, for which
there are indexes. Meters and products are few, so any part of their name matches.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from metering.texts import is_storable
from schema.loaders.rows import fetch

LONGEST = 320
# A word that one customer of five has is found among so many, as often as a page shows.
_RECENT = 50
_NUMBER = re.compile(r"0*[0-9]{1,18}", re.ASCII)


class Kind(IntEnum):
    """The kinds of results, in the order in which equally good results are shown."""

    METER = 0
    CUSTOMER = 1
    PRODUCT = 2
    INVOICE = 3


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """A search result. `rank`: 0 equals the text, 1 begins with it, 2 contains it."""

    rank: int
    place: int
    kind: Kind
    key: UUID


_TEXT = "lower($2::text COLLATE any_case)"

# At most $3 by a prefix of each column; then by words, as many as are still missing.
# array_to_tsvector takes words unchanged, without a dictionary or a language.
_CUSTOMERS = f"""
WITH begun AS (
    {{beginnings}}
), asked AS (
    SELECT string_agg('''' || $1::uuid::text || word || ''':*', ' & ')::tsquery AS words
    FROM unnest(string_to_array(btrim(
        regexp_replace({_TEXT}, '[^[:alnum:]]+', ' ', 'g')
    ), ' ')) AS word
), recent AS (
    -- Most customers may have a word, and its index finds all of them before the first one can be
    -- returned. Some of the newest customers then have it too.
    SELECT * FROM (
        SELECT * FROM customer c WHERE c.organization_id = $1
        ORDER BY c.id DESC LIMIT $3 + {_RECENT}
    ) AS customer
    WHERE {{words}} @@ (SELECT words FROM asked) AND id NOT IN (SELECT id FROM begun)
    LIMIT greatest(0, $3 - (SELECT count(*) FROM begun))
), found AS (
    SELECT * FROM begun UNION ALL SELECT * FROM recent
), by_word AS (
    -- OFFSET 0 is a fence: the planner would hope to find enough without the index of words.
    SELECT * FROM (
        SELECT * FROM customer
        WHERE organization_id = $1 AND {{words}} @@ (SELECT words FROM asked) OFFSET 0
    ) AS c
    WHERE c.id NOT IN (SELECT id FROM found)
    LIMIT greatest(0, $3 - (SELECT count(*) FROM found))
)
SELECT c.id, CASE
    WHEN {_TEXT} IN ({{columns}}) THEN 0
    WHEN {{begins}} THEN 1
    ELSE 2
END AS rank
FROM (SELECT * FROM found UNION ALL SELECT * FROM by_word) AS c
ORDER BY rank, coalesce(lower(c.name COLLATE any_case), lower(c.external_id)) COLLATE "C", c.id
LIMIT $3
"""

_BEGINNING = """
    (SELECT * FROM customer c
     WHERE c.organization_id = $1 AND {column} COLLATE "C" >= {text} COLLATE "C"
       AND {column} COLLATE "C" < ({text} || chr(1114111)) COLLATE "C"
     ORDER BY {column} COLLATE "C" LIMIT $3)
"""

# As the index `customer_words` has it.
_WORDS = """prefixed_words(
    organization_id,
    lower((
        coalesce(external_id, '') || ' ' || coalesce(name, '') || ' ' || coalesce(email, '')
    ) COLLATE any_case)
)"""

_COLUMNS = [f"lower(c.{column} COLLATE any_case)" for column in ("external_id", "name", "email")]
FIND_CUSTOMERS = _CUSTOMERS.format(
    beginnings=" UNION ".join(_BEGINNING.format(column=column, text=_TEXT) for column in _COLUMNS),
    words=_WORDS,
    columns=", ".join(_COLUMNS),
    begins=" OR ".join(f"starts_with({column}, {_TEXT})" for column in _COLUMNS),
)

_NAMED = f"""
SELECT id, CASE strpos(lower(name COLLATE any_case), {_TEXT})
    WHEN 1 THEN CASE WHEN lower(name COLLATE any_case) = {_TEXT} THEN 0 ELSE 1 END ELSE 2
END AS rank
FROM {{table}}
WHERE organization_id = $1 AND strpos(lower(name COLLATE any_case), {_TEXT}) > 0
ORDER BY rank, lower(name COLLATE any_case) COLLATE "C", id
LIMIT $3
"""

_NUMBERED = "SELECT id, 0 AS rank FROM invoice WHERE organization_id = $1 AND sequence = $2"


async def search_rows(
    organization_id: UUID, kinds: Sequence[Kind], text: str, limit: int
) -> list[Find]:
    """Returns at most `limit` objects of these kinds that match the text, best first."""
    text = text.strip()
    if not text or len(text) > LONGEST or not is_storable(text):
        return []
    found: list[Find] = []
    for kind in kinds:
        if kind is Kind.INVOICE:
            if not _NUMBER.fullmatch(text):
                continue
            rows = await fetch(_NUMBERED, organization_id, int(text))
        elif kind is Kind.CUSTOMER:
            rows = await fetch(FIND_CUSTOMERS, organization_id, text, limit)
        else:
            table = "meter" if kind is Kind.METER else "product"
            rows = await fetch(_NAMED.format(table=table), organization_id, text, limit)
        found += [Find(row["rank"], place, kind, row["id"]) for place, row in enumerate(rows)]
    return sorted(found)[:limit]
