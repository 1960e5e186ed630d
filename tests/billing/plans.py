"""A customer with a plan and another one to change to."""

from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.world import World


class Plans:
    """A customer of Pro at 31.00 with 310 units, and Scale at 62.00 with 620 rolling units."""

    customer: Customer
    meter: Meter
    pro: Product
    scale: Product
    subscription: CustomerSubscription


async def two_plans(world: World) -> Plans:
    plans = Plans()
    plans.customer, plans.meter = await world.customer(), await world.meter()
    plain = await world.benefit(plans.meter, 310)
    rolling = await world.benefit(plans.meter, 620, rollover=True)
    plans.pro = await world.product(
        world.fixed(3100), world.per_unit(plans.meter, 10), benefits=[plain], name="Pro"
    )
    plans.scale = await world.product(
        world.fixed(6200), world.per_unit(plans.meter, 7), benefits=[rolling], name="Scale"
    )
    plans.subscription = await world.subscribe(plans.customer, plans.pro, "2026-01-01")
    return plans
