"""How a random history of a customer happens in a world."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from billing.catalog.products import archive_product
from billing.periods.billed_meters import meter_in_use
from billing.subscriptions.life import CancelWhen
from metering.language.numerics import text_of_number
from metering.meters import archive_meter, unarchive_meter
from metering.problems import RefusedError
from metering.voiding.voids import void_events
from models import Customer, CustomerSubscription, Meter, Product
from tests.billing.history_products import MONTH, YEAR
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
    VoidCredit,
    VoidEvent,
    Wait,
    WaitForEnd,
)
from tests.billing.reference import Reference
from tests.billing.reference_parts import BEFORE, Off, Terms
from tests.billing.world import World, instant
from tests.ingesting import catch_up_all

START = instant("2026-01-31T10:17:03.000021")


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
            case CreditByHand():
                await self._credit(step)
            case VoidCredit(number):
                await self._void(number)
            case VoidEvent(number):
                await self._void_event(number)
            case Subscribe():
                await self._subscribe(step)
            case Cancel() | Resume() | Change() | DropChange() | Discounted():
                if reference.is_live(self.now):
                    await self._amend(step)
            case GiveBenefits(plain, rolling, days, limit, priority, each):
                terms = Terms(days if reference.adds_up else None, limit, priority, each)
                await self.give_benefits(plain, rolling, terms)
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

    async def _credit(self, step: CreditByHand) -> None:
        """Debits are refused exactly where the reference has less left."""
        events, position = await self.world.events(), await self.position()
        units = step.units
        if units > 0:
            await self._grant(step)
            return
        left = self.reference.credit_left(events, self.now, position)
        if -units > left:
            with pytest.raises(RefusedError, match=f"Only {text_of_number(left)} units"):
                await self.world.credit(self.customer, self.meter, units, self._now)
        else:
            await self.world.credit(self.customer, self.meter, units, self._now)
            self.reference.debit(events, self.now, position, -units)

    async def _grant(self, step: CreditByHand) -> None:
        """A grant is refused if it begins before the period, or cuts what does not add up."""
        begins = None if step.begins is None else self.now + timedelta(hours=step.begins)
        span = self.reference.span(self.now)
        start = None if span.place == BEFORE else span.during.start
        ends = None
        if step.lasts is not None:
            ends = max(begins or self.now, self.now) + timedelta(hours=step.lasts)
        bounds = {start, span.during.end, None}
        is_refused = (begins is not None and start is not None and begins < start) or (
            not self.reference.adds_up and not {begins, ends} <= bounds
        )
        asked = self.world.credit(
            *(self.customer, self.meter, step.units, self._now),
            begins=None if begins is None else begins.replace(tzinfo=None).isoformat(),
            ends=None if ends is None else ends.replace(tzinfo=None).isoformat(),
            priority=step.priority,
        )
        if is_refused:
            with pytest.raises(RefusedError):
                await asked
        else:
            await asked
            self.reference.credit(self.now, step.units, begins, ends, step.priority)

    async def _void(self, number: int) -> None:
        """A grant of which nothing remains cannot be voided."""
        if number >= len(self.reference.by_hand):
            return
        grants = await self.world.query(
            """
            SELECT id FROM credit_grant
            WHERE organization_id = $1 AND benefit_id IS NULL ORDER BY id
            """
        )
        events, position = await self.world.events(), await self.position()
        asked = self.world.void_grant(grants[number]["id"], self._now)
        if self.reference.void(events, self.now, position, number):
            await asked
        else:
            with pytest.raises(RefusedError, match="Nothing remains"):
                await asked

    async def _void_event(self, number: int) -> None:
        """An event that is voided already stays so; of one that is not sent, nothing is voided."""
        ids = sorted(event["id"] for event in await self.world.events())
        await void_events(self.world.id, ids[number : number + 1], [], "sent twice")

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
        reference.advance(self.now)
        parts = reference.subscriptions[-1].parts
        if len(parts) > 1 and parts[-1].start == self.now:
            # A clock goes on between two changes, so only one part at an instant is empty.
            self.now += timedelta(microseconds=1)
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

    async def give_benefits(self, plain: int, rolling: int, terms: Terms | None = None) -> None:
        """Gives the product benefits of so many units that expire, and that roll over."""
        benefits, terms = [], terms or Terms()
        if self.is_stopped:
            return
        if plain:
            benefits.append(
                await self.world.benefit(
                    *(self.meter, plain), days=terms.days, per_quantity=terms.per_quantity
                )
            )
        if rolling:
            benefits.append(
                await self.world.benefit(
                    *(self.meter, rolling),
                    rollover=True,
                    limit=terms.limit,
                    priority=terms.priority,
                    per_quantity=terms.per_quantity,
                )
            )
        await self.world.give_benefits(self.products[0], benefits, self._now)
        self.reference.give_benefits(self.now, plain, rolling, terms)

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
