"""Random histories: an independent reading of the numbers says which alerts must have triggered."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from hypothesis import given, note
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.alerts.life import AlertChanges, delete_alert, update_alert
from metering.alerts.kinds import UsageAlertKind
from metering.problems import RefusedError
from models import AlertTrigger, Customer, CustomerSubscription, Meter, Organization, Product
from tests.billing.alerting import BALANCE, CONSUMED, PERCENT, make_alert
from tests.billing.world import World, instant
from tests.effort import examples
from tests.outbox import happened, listen

START = instant("2026-01-31T10:17:03.000021")
KINDS = (CONSUMED, BALANCE, PERCENT)


@dataclass
class Send:
    """An event that happened some days ago."""

    customer: int
    days_ago: int
    tokens: int


@dataclass
class Make:
    """An alert is made, of one customer or of both."""

    kind: UsageAlertKind
    threshold: int
    customer: int | None


@dataclass
class Count:
    """Workers count what is pending, several at once, and alerts are made meanwhile."""

    meanwhile: list[Make]


@dataclass
class Wait:
    """Days pass, too few for two periods to end, and the cycle runs."""

    days: int


@dataclass
class Credit:
    """Units are credited or debited by hand."""

    customer: int
    units: int


@dataclass
class Change:
    """One of the alerts gets another threshold, or is enabled or disabled."""

    alert: int
    threshold: int | None
    is_enabled: bool | None


@dataclass
class Delete:
    """One of the alerts is deleted."""

    alert: int


@dataclass
class Subscribe:
    """A customer subscribes, or stops being subscribed."""

    customer: int


Step = Send | Make | Count | Wait | Credit | Change | Delete | Subscribe

_customers = st.integers(0, 1)
_making = st.builds(
    Make, st.sampled_from(KINDS), st.integers(1, 120), st.one_of(st.none(), _customers)
)
_counting = st.builds(Count, st.lists(_making, max_size=2))
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Send, _customers, st.integers(0, 3), st.integers(0, 40)),
        st.builds(Send, _customers, st.integers(0, 60), st.integers(0, 40)),
        _counting,
        _counting,
        _making,
        st.builds(Wait, st.integers(1, 20)),
        st.builds(Credit, _customers, st.integers(-40, 60).filter(bool)),
        st.builds(
            Change,
            st.integers(0, 9),
            st.one_of(st.none(), st.integers(1, 120)),
            st.one_of(st.none(), st.booleans()),
        ),
        st.builds(Delete, st.integers(0, 9)),
        st.builds(Subscribe, _customers),
    ),
    min_size=5,
    max_size=30,
)


@dataclass
class Watch:
    """An alert as the reference knows it."""

    id: UUID
    kind: UsageAlertKind
    threshold: int
    customer_id: UUID | None
    is_enabled: bool = True

    def is_reached(self, row: dict[str, Any]) -> bool:
        """Whether a customer's numbers reach it."""
        consumed, credited = Fraction(row["consumed"]), Fraction(row["credited"])
        if not self.is_enabled or self.customer_id not in (None, row["customer_id"]):
            return False
        if self.kind is CONSUMED:
            return consumed >= self.threshold
        if self.kind is BALANCE:
            return row["ever_credited"] and credited - consumed <= self.threshold
        return credited > 0 and consumed * 100 / credited >= self.threshold


@dataclass
class History:
    """Two customers on a meter, and what the reference says of them."""

    world: World
    meter: Meter
    product: Product
    customers: list[Customer]
    now: datetime = START
    watches: list[Watch] = field(default_factory=list)
    subscriptions: dict[int, CustomerSubscription] = field(default_factory=dict)
    expected: set[tuple[UUID, UUID, datetime | None]] = field(default_factory=set)

    async def play(self, taken: list[Step]) -> None:
        for step in taken:
            await self._take(step)
            await self._observe()

    async def _observe(self) -> None:
        """Notes what is reached now: each step changes a customer's numbers in one direction."""
        rows = await self.world.query(
            """
            SELECT kept.customer_id, kept.period_start, kept.consumed, kept.credited,
                   EXISTS (
                       SELECT FROM credit_entry entry
                       WHERE entry.organization_id = $1
                         AND entry.customer_id = kept.customer_id
                   ) AS ever_credited
            FROM customer_meter kept WHERE kept.organization_id = $1
            """
        )
        self.expected |= {
            (watch.id, row["customer_id"], row["period_start"])
            for watch in self.watches
            for row in rows
            if watch.is_reached(row)
        }

    async def _take(self, step: Step) -> None:
        at = self.now.replace(tzinfo=None).isoformat()
        match step:
            case Send(customer, days_ago, tokens):
                then = (self.now - timedelta(days=days_ago)).replace(tzinfo=None).isoformat()
                await self.world.send(self.customers[customer], (then, tokens))
            case Make():
                await self._make(step)
            case Count(meanwhile):
                workers = (self.world.count() for _ in range(3))
                await asyncio.gather(*workers, *(self._make(one) for one in meanwhile))
            case Wait(days):
                self.now += timedelta(days=days)
                await self.world.cycle(self.now.replace(tzinfo=None).isoformat())
            case Credit(customer, units):
                with suppress(RefusedError):
                    await self.world.credit(self.customers[customer], self.meter, units, at)
            case Change():
                await self._change(step)
            case Delete(alert):
                await self._delete(alert)
            case Subscribe(customer):
                await self._subscribe(customer, at)

    async def _make(self, step: Make) -> None:
        customer = None if step.customer is None else self.customers[step.customer]
        made = await make_alert(self.world, step.kind, step.threshold, self.meter, customer)
        whom = None if customer is None else customer.id
        self.watches.append(Watch(made.id, step.kind, step.threshold, whom))

    async def _change(self, step: Change) -> None:
        if step.alert >= len(self.watches):
            return
        watch = self.watches[step.alert]
        threshold = None if step.threshold is None else Decimal(step.threshold)
        changes = AlertChanges(threshold=threshold, is_enabled=step.is_enabled)
        await update_alert(self.world.id, watch.id, changes)
        watch.threshold = watch.threshold if step.threshold is None else step.threshold
        watch.is_enabled = watch.is_enabled if step.is_enabled is None else step.is_enabled

    async def _delete(self, alert: int) -> None:
        if alert < len(self.watches):
            gone = self.watches.pop(alert)
            await delete_alert(self.world.id, gone.id)
            self.expected = {one for one in self.expected if one[0] != gone.id}

    async def _subscribe(self, customer: int, at: str) -> None:
        if customer in self.subscriptions:
            await self.world.cancel(self.subscriptions.pop(customer), at)
        else:
            made = await self.world.subscribe(self.customers[customer], self.product, at)
            self.subscriptions[customer] = made


@examples(30)
@given(taken=steps)
async def test_exactly_what_was_reached_has_triggered_and_once(
    database: BaseDBAsyncClient, taken: list[Step]
) -> None:
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    await listen(world.id, "alert.triggered")
    meter = await world.meter()
    customers = [await world.customer(f"c{number}") for number in range(2)]
    benefits = [await world.benefit(meter, 20), await world.benefit(meter, 30, rollover=True)]
    product = await world.product(world.per_unit(meter), benefits=benefits)
    history = History(world, meter, product, customers)
    note(str(taken))

    await history.play([Subscribe(0), *taken, Count([])])

    rows = await AlertTrigger.filter(organization_id=world.id)
    found = [(row.alert_id, row.customer_id, row.period_start) for row in rows]
    assert len(found) == len(set(found))
    assert set(found) == history.expected
    told = [id_ for _type, id_ in await happened(world.id)]
    assert len(told) == len(set(told))
    assert {row.id for row in rows} <= set(told)
