"""How a random history of a customer happens in a world."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from billing.catalog.products import archive_product
from billing.periods.billed_meters import meter_in_use
from billing.periods.intervals import BillingPeriods, RecurringInterval
from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.dimension_rates import DimensionRate
from billing.rating.schemes import Pricing, Tier
from billing.subscriptions.life import CancelWhen
from metering.language.numerics import text_of_number
from metering.meters import archive_meter, unarchive_meter
from metering.problems import RefusedError
from metering.usage.grouping import DimensionValue
from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.history_steps import (
    Action,
    Archive,
    Cancel,
    Change,
    Count,
    CreditByHand,
    Cycle,
    Discounted,
    DropChange,
    GiveBenefits,
    Resume,
    Send,
    Subscribe,
    Unarchive,
    Wait,
    WaitForEnd,
)
from tests.billing.reference import Reference
from tests.billing.reference_parts import Off
from tests.billing.world import World, instant
from tests.ingesting import catch_up_all

START = instant("2026-01-31T10:17:03.000021")
FIXED_AMOUNTS = (500, 1249)
WEEK, MONTH, YEAR = RecurringInterval.WEEK, RecurringInterval.MONTH, RecurringInterval.YEAR
FROM_START, CALENDAR = BillingPeriods.FROM_START, BillingPeriods.CALENDAR
Shape = tuple[RecurringInterval, int, BillingPeriods, RecurringInterval | None]
SHAPES: tuple[Shape, ...] = (
    (MONTH, 1, FROM_START, None),
    (YEAR, 1, FROM_START, None),
    (YEAR, 1, FROM_START, MONTH),
    (MONTH, 3, FROM_START, None),
    (MONTH, 3, FROM_START, MONTH),
    (WEEK, 2, FROM_START, None),
    (WEEK, 2, FROM_START, WEEK),
    (MONTH, 1, CALENDAR, None),
    (MONTH, 3, CALENDAR, None),
    (MONTH, 3, CALENDAR, MONTH),
    (WEEK, 1, CALENDAR, None),
    (YEAR, 1, CALENDAR, MONTH),
)
# The second one changes its clocks by half an hour.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe")

PRICES: dict[str, dict[str, Any]] = {
    "per unit": {"parameters": {"unit_amount": Decimal("1.5")}},
    "capped": {"parameters": {"unit_amount": Decimal(2)}, "cap_amount": 40},
    "at least": {"parameters": {"unit_amount": Decimal(2)}, "minimum_amount": 31},
    "within limits": {
        "parameters": {"unit_amount": Decimal(3)},
        "cap_amount": 55,
        "minimum_amount": 21,
    },
    "by the dozen": {
        "parameters": {"unit_amount": Decimal(17)},
        "conversion": Conversion(Decimal(12), RoundingMode.UP, 1),
    },
    "by thirds": {
        "pricing": Pricing.VOLUME,
        "parameters": {
            "tiers": [Tier(Decimal(2), Decimal("0.7"), 9), Tier(None, Decimal(1))],
            "bills_flat_amount_at_zero": True,
        },
        "conversion": Conversion(Decimal(3)),
    },
    "flat": {
        "pricing": Pricing.GRADUATED,
        "parameters": {
            "tiers": [Tier(Decimal(4), Decimal(0), 13), Tier(None, Decimal("1.5"), 6)],
            "bills_flat_amount_at_zero": True,
        },
    },
    "graduated": {
        "pricing": Pricing.GRADUATED,
        "parameters": {"tiers": [Tier(Decimal(10), Decimal(3), 7), Tier(None, Decimal("0.25"))]},
    },
    "volume": {
        "pricing": Pricing.VOLUME,
        "parameters": {"tiers": [Tier(Decimal(5), Decimal(3)), Tier(None, Decimal(1), 2)]},
    },
    "by model": {
        "parameters": {
            "unit_amount": Decimal("1.5"),
            "rates": [
                DimensionRate((DimensionValue("model", "large"),), Decimal("7.3")),
                DimensionRate((DimensionValue("model", None),), Decimal("0.4")),
            ],
        },
        "cap_amount": 70,
        "minimum_amount": 6,
    },
    "package": {
        "pricing": Pricing.PACKAGE,
        "parameters": {"package_amount": 11, "package_size": Decimal("2.5")},
    },
}


@dataclass
class History:
    """A customer, a meter and products that price it; and the reference, which is told."""

    world: World
    customer: Customer
    meter: Meter
    products: tuple[Product, ...]
    reference: Reference
    now: datetime = START
    subscription_ids: list[UUID] = field(default_factory=list)
    is_sold: bool = True
    is_stopped: bool = False

    @property
    def _now(self) -> str:
        return self.now.replace(tzinfo=None).isoformat()

    async def play(self, steps: list[Action]) -> None:
        """Lets it happen, and then time pass until nothing is left to be billed."""
        for step in steps:
            await self._take(step)
        await self._take(Count())
        # So long that whatever runs or has ended is invoiced once more.
        lasts = {(plan.interval.interval, plan.interval.count) for plan in self.reference.plans}
        days = 430 if (YEAR, 1) in lasts else 190 if (MONTH, 3) in lasts else 70
        self.now += timedelta(days=days)
        await self._take(Cycle())

    async def _take(self, step: Action) -> None:  # noqa: C901, PLR0912  # as many kinds of steps
        world, reference = self.world, self.reference
        match step:
            case Send():
                await self._send(step)
            case Count():
                await world.count()
                await catch_up_all(world.id)
            case Wait(hours):
                self.now += timedelta(hours=hours)
            case WaitForEnd():
                end = reference.end_of_period(self.now)
                if end is not None:
                    self.now = end + timedelta(microseconds=1)
            case Cycle():
                await world.cycle(self._now)
            case CreditByHand(units):
                await self._credit(units)
            case Subscribe():
                await self._subscribe(step)
            case Cancel() | Resume() | Change() | DropChange() | Discounted():
                if reference.is_live(self.now):
                    await self._amend(step)
            case GiveBenefits(plain, rolling):
                await self.give_benefits(plain, rolling)
            case Archive():
                await self._archive()
            case Unarchive():
                await unarchive_meter(world.id, self.meter.id)
                self.is_stopped = False

    async def _send(self, step: Send) -> None:
        at = (self.now - timedelta(hours=step.back)).replace(tzinfo=None).isoformat()
        model = {} if step.model is None else {"model": step.model}
        await self.world.send(self.customer, (at, step.tokens), **model)
        # Received now, and not when the test runs: what a period's invoice waits for.
        await self.world.query(
            """
            UPDATE event_batch SET received_at = $2
            WHERE organization_id = $1
              AND id = (SELECT max(id) FROM event_batch WHERE organization_id = $1)
            RETURNING 1
            """,
            self.now,
        )

    async def _credit(self, units: int) -> None:
        """Debits are refused exactly where the reference has less left."""
        events, position = await self.world.events(), await self.position()
        left = self.reference.credit_left(events, self.now, position)
        if -units > left:
            with pytest.raises(RefusedError, match=f"Only {text_of_number(left)} units"):
                await self.world.credit(self.customer, self.meter, units, self._now)
        else:
            await self.world.credit(self.customer, self.meter, units, self._now)
            self.reference.credit(self.now, units)

    async def _subscribe(self, step: Subscribe) -> None:
        """Who is not subscribed, or was until a moment ago, can subscribe."""
        if self.reference.is_live(self.now) or not self.is_sold:
            return
        ends = self.now + timedelta(hours=step.trial_hours)
        subscription = await self.world.subscribe(
            *(self.customer, self.products[0], self._now),
            quantity=step.quantity,
            trial_ends_at=ends.replace(tzinfo=None).isoformat(),
        )
        self.subscription_ids.append(subscription.id)
        self.reference.subscribe(self.now, step.quantity, ends if step.trial_hours else None)

    async def _amend(self, step: Cancel | Resume | Change | DropChange | Discounted) -> None:
        """The subscription that runs is canceled, resumed or changed."""
        world, reference = self.world, self.reference
        subscription = await CustomerSubscription.get(
            organization_id=world.id, id=self.subscription_ids[-1]
        )
        match step:
            case Cancel(when, prorate):
                await world.cancel(subscription, self._now, when, prorate=prorate)
                reference.cancel(self.now, at_once=when is CancelWhen.NOW, prorate=prorate)
            case Resume():
                await world.resume(subscription, self._now)
                reference.resume(self.now)
            case DropChange():
                await world.drop_change(subscription, self._now)
                reference.drop_change(self.now)
            case Discounted(percent, amount, periods):
                await world.discount(
                    subscription, self._now, percent=percent, amount=amount, periods=periods
                )
                off = Off(None if percent is None else Fraction(percent), Fraction(amount or 0))
                reference.discount(self.now, off, periods)
            case Change():
                await self._change(step, subscription)

    async def _change(self, step: Change, subscription: CustomerSubscription) -> None:
        """A change is refused if it changes nothing, or what is not sold, or what ends."""
        one = self.reference.subscriptions[-1]
        plan, last = self.reference.plans[step.plan], one.parts[-1]
        at_once = step.when is CancelWhen.NOW
        is_other = plan is not last.plan
        asked = (subscription, self._now, self.products[step.plan], step.quantity, step.when)
        if (
            (not is_other and step.quantity == last.quantity)
            or (is_other and not self.is_sold)
            or (one.cancels and not at_once)
        ):
            with pytest.raises(RefusedError):
                await self.world.change(*asked)
            return
        await self.world.change(*asked)
        self.reference.change(self.now, plan, step.quantity, at_once=at_once)

    async def give_benefits(self, plain: int, rolling: int) -> None:
        """Gives the product benefits of so many units that expire, and that roll over."""
        benefits = []
        if self.is_stopped:
            return
        if plain:
            benefits.append(await self.world.benefit(self.meter, plain))
        if rolling:
            benefits.append(await self.world.benefit(self.meter, rolling, rollover=True))
        await self.world.give_benefits(self.products[0], benefits, self._now)
        self.reference.give_benefits(self.now, plain, rolling)

    async def _archive(self) -> None:
        """A meter with a subscription goes on counting, though its product is sold no more."""
        for product in self.products:
            await archive_product(self.world.id, product.id)
        self.is_sold = False
        with suppress(RefusedError):
            await archive_meter(self.world.id, self.meter.id, meter_in_use)
            self.is_stopped = True
        assert not (self.is_stopped and self.reference.is_live(self.now))

    async def position(self) -> int:
        """How far the meter has counted."""
        (row,) = await self.world.query(
            """
            SELECT coalesce(meter.position, log.head) AS position
            FROM meter JOIN event_log log ON log.organization_id = $1 WHERE meter.id = $2
            """,
            self.meter.id,
        )
        position: int = row["position"]
        return position
