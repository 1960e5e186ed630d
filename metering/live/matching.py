"""Finds the events of a page that match a filter, once for all followers with this filter."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from tortoise.connection import get_connection

from metering.language.filters import Filter
from metering.language.parameters import Parameters
from metering.language.predicates import predicate_sql

_MATCHING = """
SELECT e.id FROM event e
WHERE e.organization_id = {organization} AND e.id = ANY({ids}) AND {predicate}
"""


class Matching:
    """The pages of an organization's events that are being filtered."""

    def __init__(self, organization_id: UUID) -> None:
        self._organization_id = organization_id
        self._looking: dict[tuple[Filter, tuple[UUID, ...]], asyncio.Task[set[UUID]]] = {}

    async def of(self, filter_: Filter, ids: Sequence[UUID]) -> set[UUID]:
        """Returns the page's events that match the filter. It reads no other events."""
        key = (filter_, tuple(ids))
        looking = self._looking.get(key)
        if looking is None:
            looking = asyncio.create_task(self._look(*key))
            self._looking[key] = looking
            looking.add_done_callback(lambda _looking: self._looking.pop(key))
        return await asyncio.shield(looking)

    async def _look(self, filter_: Filter, ids: tuple[UUID, ...]) -> set[UUID]:
        parameters = Parameters()
        statement = _MATCHING.format(
            organization=parameters.add(self._organization_id, "uuid"),
            ids=parameters.add(ids, "uuid[]"),
            predicate=predicate_sql(filter_, parameters),
        )
        rows = await get_connection("default").execute_query_dict(statement, parameters.values)
        return {row["id"] for row in rows}
