"""eventsIngested: events as the log takes them in."""

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

import strawberry

from metering.live.changes import EventRow, EventSelection
from metering.texts import is_storable
from schema.context import Context, Info, Scope
from schema.customers import customer_asked_for
from schema.permissions import requires
from schema.types.event import Event
from schema.updates import Update


@strawberry.type
class EventSubscriptions:
    @strawberry.subscription(
        description="New events from now on, in the order in which they are counted.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def events_ingested(
        self,
        info: Info,
        names: Annotated[
            list[str] | None,
            strawberry.argument(description="Limits the stream to events with one of these names."),
        ] = None,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Limits the stream to the customer with this id in Metergraph."
            ),
        ] = None,
        external_customer_id: Annotated[
            str | None,
            strawberry.argument(
                description="Limits the stream to the customer with this id of yours."
            ),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        context = info.context
        selection = EventSelection(
            None if names is None else frozenset(name for name in names if is_storable(name)),
            await customer_asked_for(context, customer_id, external_customer_id),
        )
        events = context.services.feeds.events(context.organization_id, selection)
        async with contextlib.aclosing(events):
            async for page in events:
                for event in page:
                    await context.turn()
                    update: Any = Update(event.cursor, partial(_made, context, event.row))
                    yield update  # of which the executor makes an Event


async def _made(context: Context, row: EventRow) -> Event:
    context.forget_loaded()
    return Event.of(row)
