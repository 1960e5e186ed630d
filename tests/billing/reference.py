"""The reference: a customer's time on a meter, rated once more in Python from the raw events.

It knows the events, the price, and what was asked for when: subscriptions and their ends, benefits,
credit by hand. It knows nothing of what billing stores in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.numbers import minus
from billing.periods.intervals import Period, Recurrence, index_at, period_at
from billing.rating.pricing import Rating, Tariff
from tests.reference.aggregations import aggregate

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Place = tuple[int, int | None]
"""A subscription, counted from 0, and a period of it; None: the time after its end."""

BEFORE: Place = (-1, None)


@dataclass
class Subscribed:
    """A subscription from `start` on, until `end` where it has one by now.

    `is_cut`: it was ended within a period, which may have begun at that very instant.
    """

    start: datetime
    end: datetime | None = None
    is_cut: bool = False


@dataclass
class Span:
    """A stretch of a customer's time, with what is granted and what was credited in it."""

    place: Place
    during: Period
    plain: Decimal
    rolling: Decimal


@dataclass
class Reference:
    """A customer's time on one meter."""

    function: str
    property: str | None
    tariff: Tariff
    interval: Recurrence
    subscriptions: list[Subscribed] = field(default_factory=list)
    benefits: list[tuple[int, datetime, Decimal, Decimal]] = field(default_factory=list)
    by_hand: list[tuple[Place, int]] = field(default_factory=list)

    # ------------------------------------------------------------ what is asked for

    def subscribe(self, now: datetime) -> None:
        """A subscription begins."""
        self.subscriptions.append(Subscribed(now))

    def cancel(self, now: datetime, *, at_once: bool) -> None:
        """The last subscription ends, or will."""
        last = self.subscriptions[-1]
        last.end = now if at_once else self._period_at(last, now).end
        last.is_cut = at_once

    def give_benefits(self, now: datetime, plain: int, rolling: int) -> None:
        """Periods that begin later get other grants, as do those of subscriptions to come."""
        known = len(self.subscriptions)
        self.benefits.append((known, now, Decimal(plain), Decimal(rolling)))

    def credit(self, now: datetime, units: int) -> None:
        """Units are credited by hand."""
        self.by_hand.append((self._place_at(now), units))

    # ------------------------------------------------------------ what follows from it

    def is_live(self, now: datetime) -> bool:
        """Whether a subscription runs."""
        last = self.subscriptions[-1] if self.subscriptions else None
        return last is not None and (last.end is None or now < last.end)

    def end_of_period(self, now: datetime) -> datetime | None:
        """Where the current period ends; None without one."""
        if not self.is_live(now):
            return None
        return self._period_at(self.subscriptions[-1], now).end

    def closed_periods(self, subscription: int, until: datetime) -> list[Span]:
        """The periods of a subscription that are over at `until`."""
        return [span for span in self.periods_of(subscription, until) if span.during.end <= until]

    def periods_of(self, subscription: int, until: datetime) -> list[Span]:
        """The periods of a subscription that have begun at `until`."""
        return [
            span
            for span in self._spans(until)
            if span.place[0] == subscription and span.place[1] is not None
        ]

    def ratings(
        self, events: list[dict[str, Any]], until: datetime, position: int
    ) -> dict[Place, Rating]:
        """Each stretch that begins by `until`, rated by the events up to a position."""
        return {
            span.place: self.tariff.rate(consumed, credited)
            for span, consumed, credited in self._rated(events, until, position)
        }

    def credit_left(self, events: list[dict[str, Any]], now: datetime, position: int) -> Decimal:
        """The credit that usage has left by `now`."""
        span, consumed, credited = self._rated(events, now, position)[-1]
        burned = Decimal(0) if span.place == BEFORE else max(Decimal(0), consumed)
        return max(Decimal(0), minus(credited, burned))

    def current(
        self, events: list[dict[str, Any]], now: datetime, position: int
    ) -> tuple[Span, Decimal, Decimal]:
        """The stretch at `now`, what is consumed in it, and the credit of it."""
        return self._rated(events, now, position)[-1]

    def _rated(
        self, events: list[dict[str, Any]], until: datetime, position: int
    ) -> list[tuple[Span, Decimal, Decimal]]:
        result, carried = [], Decimal(0)
        for span in self._spans(until):
            rolling = span.rolling + carried
            credited = span.plain + rolling
            consumed = self._consumed(events, span.during, position)
            result.append((span, consumed, credited))
            burned = Decimal(0) if span.place == BEFORE else consumed
            # What is plain burns first; of what rolls, the rest is carried over.
            carried = max(Decimal(0), min(rolling, minus(credited, burned)))
        return result

    def _spans(self, until: datetime) -> list[Span]:
        """The customer's time, from always to the stretch that `until` lies in."""
        starts = [one.start for one in self.subscriptions]
        found = [self._span(BEFORE, Period(ALWAYS, starts[0] if starts else NEVER))]
        for number, one in enumerate(self.subscriptions):
            index = 0
            while True:
                whole = period_at(one.start, self.interval, index)
                if whole.start > until or (index and _is_over(one, whole.start)):
                    break
                end = whole.end if one.end is None else min(whole.end, one.end)
                place = (number, index)
                found.append(self._span(place, Period(whole.start, end), whole.start))
                index += 1
                if end == one.end:
                    break
            if one.end is not None and one.end <= until:
                following = starts[number + 1] if number + 1 < len(starts) else NEVER
                found.append(self._span((number, None), Period(one.end, following)))
        return found

    def _span(self, place: Place, during: Period, granted_at: datetime | None = None) -> Span:
        plain = rolling = Decimal(0)
        if granted_at is not None:
            for known, edited, units, rolling_units in self.benefits:
                # A period that begins at an edit's instant is turned before the edit.
                if edited < granted_at or place[0] >= known:
                    plain, rolling = units, rolling_units
        by_hand = sum(units for at, units in self.by_hand if at == place)
        return Span(place, during, plain, rolling + by_hand)

    def _place_at(self, now: datetime) -> Place:
        if not self.subscriptions:
            return BEFORE
        last = self.subscriptions[-1]
        number = len(self.subscriptions) - 1
        if last.end is not None and last.end <= now:
            return number, None
        return number, index_at(last.start, self.interval, now)

    def _period_at(self, one: Subscribed, now: datetime) -> Period:
        return period_at(one.start, self.interval, index_at(one.start, self.interval, now))

    def _consumed(self, events: Iterable[dict[str, Any]], during: Period, position: int) -> Decimal:
        counted = [
            event
            for event in events
            if event["position"] is not None
            and event["position"] <= position
            and during.start <= event["timestamp"] < during.end
        ]
        return aggregate(self.function, self.property, counted).quantity or Decimal(0)


def _is_over(one: Subscribed, start: datetime) -> bool:
    """Whether no period of a subscription begins at `start` any more."""
    return one.end is not None and (one.end < start or (one.end == start and not one.is_cut))
