"""A preview of a change says to the cent and unit what the change then makes."""

import secrets
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import RecurringInterval
from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import CreditEntry, Organization
from tests.billing.history_products import PRICES
from tests.billing.world import World
from tests.effort import examples

MONTH, YEAR = RecurringInterval.MONTH, RecurringInterval.YEAR

_hours = st.integers(0, 28 * 24 - 1)
_intervals = st.sampled_from([(MONTH, None), (YEAR, None), (YEAR, MONTH)])


@examples(20)
@given(
    used=st.lists(st.tuples(_hours, st.integers(0, 300)), max_size=5),
    late=st.lists(st.tuples(_hours, st.integers(0, 300)), max_size=3),
    hours=st.lists(_hours, min_size=1, max_size=3),
    quantity=st.integers(1, 9),
    price=st.sampled_from(sorted(PRICES)),
    intervals=st.tuples(_intervals, _intervals),
    trial=st.booleans(),
    when=st.sampled_from(CancelWhen),
    credit=st.integers(0, 100),
)
async def test_a_preview_equals_the_change(
    database: BaseDBAsyncClient,
    *,
    used: list[tuple[int, int]],
    late: list[tuple[int, int]],
    hours: list[int],
    quantity: int,
    price: str,
    intervals: tuple[tuple[RecurringInterval, RecurringInterval | None], ...],
    trial: bool,
    when: CancelWhen,
    credit: int,
) -> None:
    organization = await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")
    world = World(organization, database)
    customer, meter = await world.customer(), await world.meter()
    benefits = [
        await world.benefit(meter, 100),
        await world.benefit(meter, "33.333333333", rollover=True),
    ]
    old = await world.product(
        *(world.fixed(1001), world.per_unit(meter)),
        benefits=benefits[:1],
        interval=intervals[0][0],
        usage_interval=intervals[0][1],
    )
    new = await world.product(
        world.fixed(2999),
        MeteredDraft("USD", meter.id, **PRICES[price]),
        benefits=benefits[1:],
        interval=intervals[1][0],
        usage_interval=intervals[1][1],
    )
    ends = "2026-03-20" if trial else None
    subscription = await world.subscribe(customer, old, "2026-02-01", trial_ends_at=ends)
    if credit:
        await world.credit(customer, meter, credit, "2026-02-01")
    await world.use(customer, *((_at(hour), tokens) for hour, tokens in used))
    for number, hour in enumerate(sorted(set(hours))):
        product = new if number % 2 == 0 else old
        # The second look is at late usage that has not been rated.
        await world.use(customer, *((_at(one), tokens) for one, tokens in late))
        preview = await world.preview(subscription, _at(hour), product, quantity, when)
        before = await CreditEntry.filter(organization_id=world.id).count()
        again = await world.preview(subscription, _at(hour), product, quantity, when)
        assert [line.amount for line in again.lines] == [line.amount for line in preview.lines]
        assert await CreditEntry.filter(organization_id=world.id).count() == before
        invoice = await world.change(subscription, _at(hour), product, quantity, when)
        if when is CancelWhen.PERIOD_END:
            await subscription.refresh_from_db()
            end = subscription.current_period_end.replace(tzinfo=None).isoformat()
            await world.received(_at(hour))
            await world.cycle(end)
            invoice = (await world.invoices())[-1]
        await subscription.refresh_from_db()
        assert subscription.current_period_end == preview.next_period_end
        assert invoice is not None
        assert [_said(line) for line in invoice.lines] == [_said(line) for line in preview.lines]
        entries = await CreditEntry.filter(
            organization_id=world.id, kind__in=["GRANT", "REVOKE"]
        ).order_by("id")
        opened = await world.query(
            "SELECT id FROM metered_period WHERE organization_id = $1 AND closed_at IS NULL"
        )
        changed = [one for one in entries if one.metered_period_id == opened[0]["id"]]
        units = sum((Fraction(one.units) for one in changed), Fraction(0))
        assert Fraction(preview.credit_changes.get(meter.id, Decimal(0))) == units
        if when is CancelWhen.PERIOD_END:
            return


async def test_a_preview_is_refused_as_the_change_would_be(world: World) -> None:
    _customer, _meter, subscription = await world.subscribed()
    with pytest.raises(RefusedError, match="already has"):
        await world.preview(subscription, "2026-01-10", quantity=1)


def _at(hour: int) -> str:
    return f"2026-02-{1 + hour // 24:02}T{hour % 24:02}:00:07.000013"


def _said(line: object) -> tuple[object, ...]:
    names = (
        *("kind", "description", "product_price_id", "period_start", "period_end"),
        *("consumed", "credited", "billable", "amount"),
    )
    return tuple(getattr(line, name) for name in names)
