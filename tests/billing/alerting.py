"""Alerts in the small world, and what has triggered them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.alerts.life import AlertChanges, AlertDraft, create_alert, update_alert
from metering.alerts.kinds import UsageAlertKind
from models import AlertTrigger, Customer, Meter, UsageAlert
from tests.billing.world import World

CONSUMED = UsageAlertKind.CONSUMED_UNITS
BALANCE = UsageAlertKind.CREDIT_BALANCE
PERCENT = UsageAlertKind.CREDIT_USED_PERCENT


async def make_alert(
    world: World,
    kind: UsageAlertKind,
    threshold: str | int,
    meter: Meter | None,
    customer: Customer | None = None,
    name: str = "alert",
    currency: str | None = None,
) -> UsageAlert:
    draft = AlertDraft(
        name,
        kind,
        Decimal(threshold),
        None if meter is None else meter.id,
        None if customer is None else customer.id,
        currency,
    )
    return await create_alert(world.id, draft)


async def change(world: World, alert: UsageAlert, **changes: Any) -> None:
    await update_alert(world.id, alert.id, AlertChanges(**changes))


async def triggers(
    world: World, alert: UsageAlert, customer: Customer | None = None
) -> list[tuple[datetime | None, Any]]:
    """The period and the value of each trigger, in their order. Any: compared with integers."""
    found = AlertTrigger.filter(organization_id=world.id, alert_id=alert.id)
    if customer is not None:
        found = found.filter(customer_id=customer.id)
    rows = await found.order_by("revision", "id")
    return [(row.period_start, row.value) for row in rows]
