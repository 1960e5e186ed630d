"""Subscriptions eventsIngested and eventsFollowed: events in the order of the log."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

import strawberry

from metering.live.change_feed import Entry
from metering.live.changes import EventRow, EventSelection
from metering.texts import is_storable
from resolvers.subscriptions.cursors import cursor_asked_for, encode_cursor, pages_of
from schema.context import Context, Info, Scope
from schema.customers import customer_asked_for
from schema.inputs.meter_filter import MeterFilterInput, read_filter, required
from schema.permissions import requires
from schema.types.event import Event
from schema.updates import Update

Names = Annotated[
    list[str] | None,
    strawberry.argument(description="Limits the stream to events with one of these names."),
]
StreamCustomerId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="Limits the stream to the customer with this id in Metergraph."
    ),
]
StreamExternalId = Annotated[
    str | None,
    strawberry.argument(description="Limits the stream to the customer with this id of yours."),
]


@strawberry.type(
    description="A new event. After a lost connection, send the last `cursor` as `after` to miss "
    "nothing."
)
class EventUpdate:
    event: Event = strawberry.field(description="The event.")
    cursor: str = strawberry.field(description="The cursor of this update, for `after`.")


@strawberry.type
class EventSubscriptions:
    @strawberry.subscription(
        description="New events from now on, in the order in which they are counted.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def events_ingested(
        self,
        info: Info,
        names: Names = None,
        customer_id: StreamCustomerId = None,
        external_customer_id: StreamExternalId = None,
    ) -> AsyncGenerator[Event, None]:
        context = info.context
        selection = await _selection(context, names, customer_id, external_customer_id)
        events = context.services.feeds.events(context.organization_id, selection)
        async with pages_of(events) as pages:
            async for page in pages:
                for event in page:
                    await context.turn()
                    update: Any = Update(event.cursor, partial(_made, context, event.row))
                    yield update  # the executor makes an Event of it

    @strawberry.subscription(
        description="New events in the order in which they are counted: from now on, or with "
        "`after`, all that came after that event. Sends only events that meet all "
        "conditions.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def events_followed(
        self,
        info: Info,
        names: Names = None,
        customer_id: StreamCustomerId = None,
        external_customer_id: StreamExternalId = None,
        where: Annotated[
            MeterFilterInput | None,
            strawberry.argument(
                description="Limits the stream to events that match this filter. It works like a"
                " meter's filter."
            ),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="The cursor of the last event that you have received."),
        ] = None,
    ) -> AsyncGenerator[EventUpdate, None]:
        context = info.context
        cursor = (
            None
            if after is None
            else await cursor_asked_for(context, after, "eventsFollowed", "head")
        )
        filter_ = None if where is None else required(read_filter(where, "where"))
        selection = await _selection(context, names, customer_id, external_customer_id)
        events = context.services.feeds.events(context.organization_id, selection, cursor, filter_)
        async with pages_of(events) as pages:
            async for page in pages:
                for event in page:
                    await context.turn()
                    update: Any = Update(event.cursor, partial(_followed, context, event))
                    yield update  # the executor makes an EventUpdate of it


async def _selection(
    context: Context, names: list[str] | None, customer_id: str | None, external_id: str | None
) -> EventSelection:
    return EventSelection(
        None if names is None else frozenset(name for name in names if is_storable(name)),
        await customer_asked_for(context, customer_id, external_id),
    )


async def _followed(context: Context, event: Entry[EventRow]) -> EventUpdate:
    return EventUpdate(
        event=await _made(context, event.row), cursor=await encode_cursor(context, event.cursor)
    )


async def _made(context: Context, row: EventRow) -> Event:
    context.forget_loaded()
    return Event.of(row)
