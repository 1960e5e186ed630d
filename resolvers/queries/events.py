"""Query fields about events."""

from typing import Annotated

import strawberry

from metering.counting.event_names import event_names
from metering.texts import is_storable
from resolvers.queries.nodes import one
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import Id
from schema.inputs.event_filter import EventFilter, event_query
from schema.loaders.events import events_source
from schema.permissions import requires
from schema.scalars import BigInt
from schema.types.event import Event, EventName


@strawberry.type
class EventsQuery:
    @strawberry.field(
        description="An event by its id. Null if there is none.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def event(self, info: Info, id: Id) -> Event | None:
        return await one(info.context, id, Event)

    @connection(
        Event, description="All events, latest first.", extensions=[requires(Scope.USAGE_READ)]
    )
    async def events(
        self,
        info: Info,
        filter: Annotated[
            EventFilter | None,
            strawberry.argument(description="Return only events that match this filter."),
        ] = None,
    ) -> Listed:
        query = await event_query(info.context, filter)
        return Listed(events_source(info.context.organization_id, query), Event.of)

    @strawberry.field(
        description="The names that events have, most frequent first. At most 1,000.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def event_names(
        self,
        info: Info,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Return names that contain this text. Case is ignored."
            ),
        ] = None,
    ) -> list[EventName]:
        if query is not None and not is_storable(query):
            return []
        return [
            EventName(
                name=use.name,
                occurrences=BigInt(use.occurrences),
                first_seen_at=use.first_seen_at,
                last_seen_at=use.last_seen_at,
                metadata_keys=list(use.metadata_keys),
            )
            for use in await event_names(info.context.organization_id, query)
        ]
