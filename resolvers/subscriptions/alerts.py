"""Subscription alertTriggered: alerts as they trigger."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from metering.live.change_feed import Entry
from models import AlertTrigger as AlertTriggerRow
from models import UsageAlert as UsageAlertRow
from resolvers.subscriptions.cursors import cursor_asked_for, encode_cursor, pages_of
from schema.context import Context, Info, Scope
from schema.permissions import requires
from schema.types.alert import AlertTrigger
from schema.updates import Update


@strawberry.type(
    description="An alert has triggered. After a lost connection, send the last `cursor` as "
    "`after` to miss nothing."
)
class AlertTriggered:
    trigger: AlertTrigger = strawberry.field(
        description="The alert, the customer, and the number that reached the threshold."
    )
    cursor: str = strawberry.field(description="The cursor of this update, for `after`.")


@strawberry.type
class AlertSubscriptions:
    @strawberry.subscription(
        description="Alerts as they trigger: from now on, or with `after`, all that triggered "
        "after that one. Each is sent once. Those of deleted alerts are left out.",
        extensions=[requires(Scope.ALERTS_READ)],
    )
    async def alert_triggered(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="The cursor of the last update that you have received."
            ),
        ] = None,
    ) -> AsyncGenerator[AlertTriggered, None]:
        context = info.context
        cursor = (
            None
            if after is None
            else await cursor_asked_for(context, after, "alertTriggered", "revision")
        )
        triggers = context.services.feeds.triggers(context.organization_id, cursor)
        async with pages_of(triggers) as pages:
            async for page in pages:
                alerts = await _alerts(context, page)
                for trigger in page:
                    alert = alerts.get(trigger.row.alert_id)
                    if alert is None:
                        continue
                    await context.turn()
                    update: Any = Update(trigger.cursor, partial(_made, context, trigger, alert))
                    yield update  # the executor makes an AlertTriggered of it


async def _alerts(
    context: Context, page: Sequence[Entry[AlertTriggerRow]]
) -> dict[UUID, UsageAlertRow]:
    """The alerts of a page that are not deleted, by id."""
    context.forget_loaded()
    ids = {trigger.row.alert_id for trigger in page}
    found = await context.loaders.by_id(UsageAlertRow).load_many(ids)
    return {row.id: row for row in found if row is not None}


async def _made(
    context: Context, trigger: Entry[AlertTriggerRow], alert: UsageAlertRow
) -> AlertTriggered:
    context.forget_loaded()
    return AlertTriggered(
        trigger=AlertTrigger.of(trigger.row, alert),
        cursor=await encode_cursor(context, trigger.cursor),
    )
