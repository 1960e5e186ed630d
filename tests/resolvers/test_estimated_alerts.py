"""An alert of an estimated amount triggers at the sum of the totals that the API estimates."""

from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.alerts.estimated import decide_estimates
from billing.alerts.life import delete_alert
from billing.subscriptions.life import CancelWhen
from metering.alerts.kinds import UsageAlertKind
from models import AlertTrigger, Customer, Organization
from tests.billing.alerting import make_alert
from tests.billing.world import World
from tests.graphql_client import Api
from waiting.patience import Patience

ESTIMATES = """query ($id: String!) { customer(externalId: $id) { subscriptions { nodes {
  status upcomingInvoice { total currency } } } } }"""


@pytest.fixture
def world(organization: Organization, database: BaseDBAsyncClient) -> World:
    return World(organization, database)


async def estimated(api: Api, customer: Customer) -> int:
    """The sum of what the API estimates for subscriptions that have begun, in minor units."""
    found = await api.get(ESTIMATES, id=customer.external_id)
    subscriptions = found["customer"]["subscriptions"]["nodes"]
    totals = [one["upcomingInvoice"] for one in subscriptions if one["status"] != "SCHEDULED"]
    assert {one["currency"] for one in totals if one} <= {"USD"}
    return sum(int(one["total"]) for one in totals if one)


async def assert_decided_at(world: World, api: Api, customer: Customer, amount: int) -> None:
    """An alert at the amount triggers, and one at a cent more does not."""
    assert await estimated(api, customer) == amount
    kind = UsageAlertKind.ESTIMATED_AMOUNT
    alerts = [await make_alert(world, kind, amount + more, None, customer) for more in (0, 1)]
    await decide_estimates(Patience())
    rows = await AlertTrigger.filter(organization_id=world.id)
    found = [(row.alert_id, row.value, row.currency) for row in rows]
    assert found == [(alerts[0].id, Decimal(amount), "USD")]
    for alert in alerts:
        await delete_alert(world.id, alert.id)


async def test_trials_quantities_and_scheduled_starts_count_as_the_api_estimates_them(
    world: World, api: Api
) -> None:
    customer, meter = await world.customer(), await world.meter()
    benefit = await world.benefit(meter, 100)
    tried = await world.product(
        world.fixed(2000), world.per_unit(meter), benefits=[benefit], trial_days=14
    )
    await world.subscribe(customer, tried, "2026-01-20")
    await world.use(customer, ("2026-01-25", 130))
    # A trial's usage is free; its next invoice charges the first paid period.
    await assert_decided_at(world, api, customer, 2000)

    seats = await world.product(world.fixed(500))
    seated = await world.subscribe(customer, seats, "2026-01-26", quantity=3)
    await assert_decided_at(world, api, customer, 2000 + 3 * 500)

    later = await world.product(world.fixed(700))
    await world.subscribe(customer, later, "2026-01-27", "2026-03-05", quantity=2)
    await assert_decided_at(world, api, customer, 2000 + 3 * 500)

    await world.cycle("2026-02-03")
    await world.use(customer, ("2026-02-10", 140))
    await assert_decided_at(world, api, customer, 2000 + 40 + 3 * 500)

    await world.change(seated, "2026-02-11", quantity=5)
    await assert_decided_at(world, api, customer, 2000 + 40 + 5 * 500)
    await world.change(seated, "2026-02-12", quantity=1, when=CancelWhen.PERIOD_END)
    await assert_decided_at(world, api, customer, 2000 + 40 + 500)
    await world.drop_change(seated, "2026-02-13")
    await world.cancel(seated, "2026-02-14", CancelWhen.PERIOD_END)
    await assert_decided_at(world, api, customer, 2000 + 40)

    await world.cycle("2026-03-05")
    # Both others have begun a period; the cancelled one has ended.
    await assert_decided_at(world, api, customer, 2000 + 2 * 700)
