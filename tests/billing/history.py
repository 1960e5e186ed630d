"""What may happen in a random history of a customer, and how it happens in a world."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st

from billing.catalog.products import archive_product
from billing.periods.billed_meters import meter_in_use
from billing.periods.intervals import RecurringInterval
from billing.rating.schemes import Pricing, Tier
from billing.subscriptions.life import CancelWhen
from metering.language.numerics import text_of_number
from metering.meters import archive_meter, unarchive_meter
from metering.problems import RefusedError
from models import Customer, Meter, Product
from tests.billing.reference import Reference
from tests.billing.world import World, instant
from tests.ingesting import catch_up_all

START = instant("2026-01-31T10:17:03.000021")
FIXED_AMOUNT = 500
INTERVALS = (RecurringInterval.MONTH, RecurringInterval.YEAR)

PRICES: dict[str, dict[str, Any]] = {
    "per unit": {"parameters": {"unit_amount": Decimal("1.5")}},
    "capped": {"parameters": {"unit_amount": Decimal(2)}, "cap_amount": 40},
    "graduated": {
        "pricing": Pricing.GRADUATED,
        "parameters": {"tiers": [Tier(Decimal(10), Decimal(3), 7), Tier(None, Decimal("0.25"))]},
    },
    "volume": {
        "pricing": Pricing.VOLUME,
        "parameters": {"tiers": [Tier(Decimal(5), Decimal(3)), Tier(None, Decimal(1), 2)]},
    },
    "package": {
        "pricing": Pricing.PACKAGE,
        "parameters": {"package_amount": 11, "package_size": Decimal("2.5")},
    },
}


@dataclass
class Send:
    """An event that happened `back` hours ago; it is received now."""

    back: int
    tokens: Any


@dataclass
class Count:
    """The worker counts what is pending."""


@dataclass
class Wait:
    """Hours pass."""

    hours: int


@dataclass
class WaitForEnd:
    """Time passes to a moment after the end of the current period, and nothing else happens."""


@dataclass
class Cycle:
    """The cycle runs."""


@dataclass
class CreditByHand:
    """Somebody credits or debits units."""

    units: int


@dataclass
class Subscribe:
    """The customer subscribes, unless it has."""


@dataclass
class Cancel:
    """The subscription ends, if it has not yet: there and then, or with its period."""

    when: CancelWhen


@dataclass
class GiveBenefits:
    """The product gets other benefits."""

    plain: int
    rolling: int


@dataclass
class Archive:
    """The product is no longer sold, and its meter stops if it may."""


@dataclass
class Unarchive:
    """The meter is taken back; the next `Count` counts what it missed."""


Action = (
    Send
    | Count
    | Wait
    | WaitForEnd
    | Cycle
    | CreditByHand
    | Subscribe
    | Cancel
    | GiveBenefits
    | Archive
    | Unarchive
)

_sending = st.builds(Send, st.integers(0, 24 * 90), st.integers(-5, 20) | st.just("none"))
_crediting = st.builds(CreditByHand, st.integers(-30, 30).filter(bool))
_benefits = st.builds(GiveBenefits, st.integers(0, 20), st.integers(0, 20))
_before = st.lists(
    st.one_of(_sending, _crediting, _benefits, st.just(Count()), st.builds(Wait, st.just(48))),
    max_size=5,
)
_after = st.lists(
    st.one_of(
        _sending,
        st.builds(Send, st.integers(0, 24 * 20), st.integers(0, 20)),
        st.builds(Wait, st.integers(1, 24 * 45)),
        st.just(WaitForEnd()),
        st.just(Count()),
        st.just(Cycle()),
        _crediting,
        _benefits,
        st.builds(Cancel, st.sampled_from(CancelWhen)),
        st.just(Subscribe()),
        st.just(Archive()),
        st.just(Unarchive()),
    ),
    min_size=3,
    max_size=24,
)
actions: st.SearchStrategy[list[Action]] = st.builds(
    lambda before, after: [*before, Subscribe(), *after], _before, _after
)


@dataclass
class History:
    """A customer, a meter and a product that prices it; and the reference, which is told."""

    world: World
    customer: Customer
    meter: Meter
    product: Product
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
        self.now += timedelta(days=70 if self.reference.interval.interval is INTERVALS[0] else 430)
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
                await self._subscribe()
            case Cancel(when):
                if reference.is_live(self.now):
                    await world.cancel_by_id(self.subscription_ids[-1], self._now, when)
                    reference.cancel(self.now, at_once=when is CancelWhen.NOW)
            case GiveBenefits(plain, rolling):
                await self.give_benefits(plain, rolling)
            case Archive():
                await self._archive()
            case Unarchive():
                await unarchive_meter(world.id, self.meter.id)
                self.is_stopped = False

    async def _send(self, step: Send) -> None:
        at = (self.now - timedelta(hours=step.back)).replace(tzinfo=None).isoformat()
        await self.world.send(self.customer, (at, step.tokens))
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

    async def _subscribe(self) -> None:
        """Who is not subscribed, or was until a moment ago, can subscribe."""
        if self.reference.is_live(self.now) or not self.is_sold:
            return
        subscription = await self.world.subscribe(self.customer, self.product, self._now)
        self.subscription_ids.append(subscription.id)
        self.reference.subscribe(self.now)

    async def give_benefits(self, plain: int, rolling: int) -> None:
        """Gives the product benefits of so many units that expire, and that roll over."""
        benefits = []
        if self.is_stopped:
            return
        if plain:
            benefits.append(await self.world.benefit(self.meter, plain))
        if rolling:
            benefits.append(await self.world.benefit(self.meter, rolling, rollover=True))
        await self.world.give_benefits(self.product, benefits, self._now)
        self.reference.give_benefits(self.now, plain, rolling)

    async def _archive(self) -> None:
        """A meter with a subscription goes on counting, though its product is sold no more."""
        await archive_product(self.world.id, self.product.id)
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
