"""Random histories of a subscription, and the reference that derives their invoices.

The reference knows the events, the price, the grants and the credits by hand, and for each line
the position that it was made at; nothing of what billing stores in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from billing.credits import Credit, carried_over
from billing.periods import Period, RecurringInterval, index_at, period
from billing.pricing import NOTHING_BILLED, Pricing, Rating, Tier, rate
from billing.products import archive_product, meter_in_use
from config import clock
from metering.meters import archive_meter, unarchive_meter
from models import Customer, Meter, Product
from tests.billing.world import BilledInvoice, World, instant
from tests.ingesting import catch_up_all
from tests.reference.aggregations import aggregate
from tests.reference.values import parse_json

START = instant("2026-01-31T10:17:03.000021")
FIXED_AMOUNT = 500

PRICES: dict[str, dict[str, Any]] = {
    "per unit": {"unit_amount": Decimal("1.5")},
    "capped": {"unit_amount": Decimal(2), "cap_amount": 40},
    "graduated": {
        "pricing": Pricing.GRADUATED,
        "tiers": [Tier(Decimal(10), Decimal(3), 7), Tier(None, Decimal("0.25"))],
    },
    "volume": {
        "pricing": Pricing.VOLUME,
        "tiers": [Tier(Decimal(5), Decimal(3)), Tier(None, Decimal(1), 2)],
    },
    "package": {
        "pricing": Pricing.PACKAGE,
        "package_amount": 11,
        "package_size": Decimal("2.5"),
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
class Cycle:
    """The cycle runs."""


@dataclass
class CreditByHand:
    """Somebody credits or debits units."""

    units: int


@dataclass
class Cancel:
    """The subscription ends there and then, if it has not yet."""


@dataclass
class Archive:
    """The product is no longer sold, and its meter stops where it stands."""


@dataclass
class Unarchive:
    """The meter is taken back; the next `Count` counts what it missed."""


Action = Send | Count | Wait | Cycle | CreditByHand | Cancel | Archive | Unarchive

actions: st.SearchStrategy[list[Action]] = st.lists(
    st.one_of(
        st.builds(Send, st.integers(0, 24 * 90), st.integers(-5, 20) | st.just("none")),
        st.builds(Send, st.integers(0, 24 * 20), st.integers(0, 20)),
        st.builds(Wait, st.integers(1, 24 * 45)),
        st.just(Count()),
        st.just(Cycle()),
        st.builds(CreditByHand, st.integers(-10, 30).filter(bool)),
        st.just(Cancel()),
        st.just(Archive()),
        st.just(Unarchive()),
    ),
    min_size=3,
    max_size=24,
)


@dataclass
class History:
    """What the reference knows."""

    world: World
    customer: Customer
    meter: Meter
    product: Product
    terms: Any
    plain: Decimal
    rolling: Decimal
    by_hand: list[tuple[int, int]] = field(default_factory=list)

    async def turn_meter(self, step: Count | Archive | Unarchive) -> None:
        """Has the meter count, stop, or go on."""
        match step:
            case Count():
                await self.world.count()
                await catch_up_all(self.world.id)
            case Archive():
                await archive_product(self.world.id, self.product.id)
                await archive_meter(self.world.id, self.meter.id, meter_in_use)
            case Unarchive():
                await unarchive_meter(self.world.id, self.meter.id)

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

    async def events(self) -> list[dict[str, Any]]:
        """The raw events, each with the position of its batch."""
        rows = await self.world.query(
            """
            SELECT e.id, e.name, e.timestamp, e.metadata, batch.position
            FROM event e JOIN event_batch batch
                ON batch.organization_id = e.organization_id AND batch.id = e.batch_id
            WHERE e.organization_id = $1
            """
        )
        return [{**row, "metadata": parse_json(row["metadata"])} for row in rows]

    def consumed(self, events: Iterable[dict[str, Any]], during: Period, position: int) -> Decimal:
        """Units in a period, by the events up to a position."""
        counted = [
            event
            for event in events
            if event["position"] is not None
            and event["position"] <= position
            and during.start <= event["timestamp"] < during.end
        ]
        function = self.meter.aggregation_function
        quantity = aggregate(function, self.meter.aggregation_property, counted).quantity
        return quantity or Decimal(0)

    def ratings(
        self, events: list[dict[str, Any]], periods: list[Period], position: int
    ) -> list[Rating]:
        """Each of consecutive periods, rated by the events up to a position."""
        result, carried = [], Decimal(0)
        for index, during in enumerate(periods):
            by_hand = sum(units for at, units in self.by_hand if at == index)
            credit = Credit(self.plain, self.rolling + carried + by_hand)
            consumed = self.consumed(events, during, position)
            result.append(rate(self.terms, consumed, credit.credited))
            carried = carried_over(credit, consumed)
        return result


def closed_periods(ended_at: datetime | None, until: datetime) -> list[Period]:
    """The periods that are over: at `until`, or with the end of the subscription."""
    found: list[Period] = []
    while True:
        current = period(START, RecurringInterval.MONTH, len(found))
        if ended_at is not None and ended_at < current.end:
            return [*found, Period(current.start, ended_at)]
        if current.end > until:
            return found
        found.append(current)


async def play(history: History, steps: list[Action]) -> tuple[datetime, datetime | None]:
    """Lets it happen. Gives when it ends, and when the subscription did."""
    world, now, ended_at = history.world, START, None
    [subscription] = await world.query(
        "SELECT id FROM customer_subscription WHERE organization_id = $1"
    )
    for step in steps:
        match step:
            case Send(back, tokens):
                at = (now - timedelta(hours=back)).replace(tzinfo=None).isoformat()
                await world.send(history.customer, (at, tokens))
                # Received now, and not when the test runs: what a period's invoice waits for.
                await world.query(
                    """
                    UPDATE event_batch SET received_at = $2
                    WHERE organization_id = $1
                      AND id = (SELECT max(id) FROM event_batch WHERE organization_id = $1)
                    RETURNING 1
                    """,
                    now,
                )
            case Count() | Archive() | Unarchive():
                await history.turn_meter(step)
            case Wait(hours):
                now += timedelta(hours=hours)
            case Cycle():
                await world.cycle(now.replace(tzinfo=None).isoformat())
            case CreditByHand(units):
                if ended_at is None:
                    await world.credit(
                        history.customer, history.meter, units, now.replace(tzinfo=None).isoformat()
                    )
                    index = index_at(START, RecurringInterval.MONTH, now)
                    history.by_hand.append((index, units))
            case Cancel():
                if ended_at is None:
                    with clock.at(now):
                        await world.cancel_by_id(subscription["id"])
                    ended_at = now
    await history.turn_meter(Count())
    now += timedelta(days=70)
    await world.cycle(now.replace(tzinfo=None).isoformat())
    return now, ended_at


def check_lines(
    history: History,
    events: list[dict[str, Any]],
    invoices: list[BilledInvoice],
    periods: list[Period],
    *,
    is_live: bool,
) -> list[Rating]:
    """Derives every line of every invoice; gives what was billed of each period in the end."""
    billed: list[Rating] = []
    first, *rest = invoices
    assert (first.kinds, first.amounts) == (["FIXED"], [FIXED_AMOUNT])
    for invoice in rest:
        new = len(billed) < len(periods)
        covered = periods[: len(billed) + 1] if new else periods
        # What no line speaks of has not changed since it was last counted.
        position = max(line.position for line in invoice.lines if line.position is not None)
        assert position <= invoice.invoice.position
        expected = history.ratings(events, covered, position)
        lines: list[tuple[Any, ...]] = []
        if new:
            billed.append(NOTHING_BILLED)
            lines.append(("METERED", covered[-1], expected[-1]))
        for index, during in enumerate(covered[:-1] if new else covered):
            if expected[index] != billed[index]:
                lines.append(("CORRECTION", during, expected[index].less(billed[index])))
        billed = expected
        said = [
            (
                line.kind,
                Period(line.period_start, line.period_end),
                Rating(line.consumed, line.credited, line.billable, int(line.amount)),
            )
            for line in invoice.lines
            if line.kind != "FIXED"
        ]
        assert said == lines
        advance = [line for line in invoice.lines if line.kind == "FIXED"]
        goes_on = new and (is_live or len(billed) < len(periods))
        assert [int(line.amount) for line in advance] == ([FIXED_AMOUNT] if goes_on else [])
        assert invoice.invoice.total == sum(line.amount for line in invoice.lines)
    return billed
