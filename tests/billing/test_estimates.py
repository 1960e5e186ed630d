"""An estimate says how far it is complete, and not farther."""

from billing.invoicing.estimates import upcoming_invoices
from config import clock
from tests.billing.world import World, instant


async def test_what_is_counted_after_an_estimate_is_not_said_to_be_in_it(world: World) -> None:
    customer, _meter, subscription = await world.subscribed()
    await world.send(customer, ("2026-01-10", 5))
    [stored] = await world.query("SELECT received_at FROM event_batch WHERE organization_id = $1")

    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    await world.count()

    assert estimate.total == 0
    assert estimate.complete_through <= stored["received_at"]

    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert estimate.total == 5
    assert stored["received_at"] < estimate.complete_through <= clock.now()


async def test_an_estimate_without_a_meter_is_complete(world: World) -> None:
    product = await world.product(world.fixed())
    subscription = await world.subscribe(await world.customer(), product, "2026-01-01")
    estimate = (await upcoming_invoices(world.id, [subscription.id]))[subscription.id]
    assert instant("2026-01-01") < estimate.complete_through <= clock.now()
