"""The reference: a customer's time on a meter, rated once more in Python from the raw events.

It knows the events, the prices, and what was asked for when: subscriptions, their changes and ends,
benefits, credit by hand. It knows nothing of what billing stores in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.periods.intervals import Period
from billing.rating.pricing import Rating
from tests.billing.reference_parts import (
    ALWAYS,
    BEFORE,
    NEVER,
    WHOLE,
    Off,
    Place,
    Plan,
    Span,
    Subscribed,
    begun,
    half_away,
    in_advance,
    next_usage,
    share_of,
    taken,
    trial_of,
    units_of,
)
from tests.billing.reference_prices import rate_of, rated
from tests.reference.aggregations import aggregate


@dataclass
class Reference:
    """A customer's time on one meter. Whoever tells it something says when."""

    function: str
    property: str | None
    plans: Sequence[Plan]
    subscriptions: list[Subscribed] = field(default_factory=list)
    by_hand: list[tuple[Place, int]] = field(default_factory=list)

    # ------------------------------------------------------------ what is asked for

    def subscribe(self, now: datetime, quantity: int, trial_ends_at: datetime | None) -> None:
        """A subscription to the first plan begins, maybe with a trial."""
        self.advance(now)
        plan, charges = self.plans[0], []
        anchor = trial_ends_at or now
        if trial_ends_at is None:
            part = begun(plan, quantity, anchor, now)
            charges = [in_advance(part)]
        else:
            part = trial_of(plan, quantity, Period(now, trial_ends_at))
        self.subscriptions.append(Subscribed(anchor, [part], charges))

    def change(self, now: datetime, plan: Plan, quantity: int, *, at_once: bool) -> None:
        """The last subscription becomes another, now or with its next period."""
        self.advance(now)
        one = self.subscriptions[-1]
        if not at_once:
            one.pending = (plan, quantity)
            return
        one.pending = None
        old = one.parts[-1]
        rest = Period(now, old.paid.end)
        left = share_of(rest, old.paid_whole)
        if not old.is_trial:
            one.give_back(old, rest)
        goes_on = old.is_trial or plan.interval == old.plan.interval
        one.bill(old, rest=left if goes_on else None)
        if old.is_trial:
            new = replace(trial_of(plan, quantity, old.whole), start=now)
        elif plan.interval == old.plan.interval:
            new = next_usage(plan, quantity, one.anchor, rest, old.paid_whole, now)
            amount = half_away(plan.fixed * quantity * left)
            old.charges.append(("PRORATION", amount, rest))
        else:
            one.anchor = now
            new = begun(plan, quantity, now, now)
            old.charges.append(in_advance(new))
        old.end, old.cut = now, share_of(Period(now, old.end), old.whole)
        one.parts.append(new)

    def drop_change(self, now: datetime) -> None:
        """The change that is pending is dropped."""
        self.advance(now)
        self.subscriptions[-1].pending = None

    def cancel(self, now: datetime, *, at_once: bool, prorate: bool) -> None:
        """The last subscription ends, or will."""
        self.advance(now)
        one = self.subscriptions[-1]
        one.pending = None
        last = one.parts[-1]
        if not at_once:
            one.cancels = True
            return
        if prorate and not last.is_trial:
            one.give_back(last, Period(now, last.paid.end))
        one.bill(last)
        # Caps and minimums stay those of the time that it was meant to last.
        one.granted[len(one.parts) - 1] = last.share
        last.end = one.ended = now

    def resume(self, now: datetime) -> None:
        """The last subscription does not end with its period."""
        self.advance(now)
        self.subscriptions[-1].cancels = False

    def discount(self, now: datetime, off: Off, periods: int | None) -> None:
        """The last subscription gets a discount in place of the one that it has."""
        self.advance(now)
        one = self.subscriptions[-1]
        one.off, one.off_periods = off, periods

    def give_benefits(self, now: datetime, plain: int, rolling: int) -> None:
        """Periods of the first plan that begin later get other grants."""
        self.advance(now)
        self.plans[0].plain, self.plans[0].rolling = Decimal(plain), Decimal(rolling)

    def credit(self, now: datetime, units: int) -> None:
        """Units are credited by hand."""
        self.advance(now)
        self.by_hand.append((self._spans()[-1].place, units))

    # ------------------------------------------------------------ what follows from it

    def advance(self, now: datetime) -> None:
        """Lets the periods that are over be followed by the next ones."""
        one = self.subscriptions[-1] if self.subscriptions else None
        while one is not None and one.ended is None and one.parts[-1].end <= now:
            last = one.parts[-1]
            if last.end < last.paid.end:
                one.bill(last, goes_on=True)
                paid = (last.paid, last.paid_whole)
                following = next_usage(last.plan, last.quantity, one.anchor, *paid, last.end)
                one.parts.append(following)
                continue
            one.bill(last)
            if one.cancels:
                one.ended = last.end
                return
            plan, quantity = one.pending or (last.plan, last.quantity)
            one.pending = None
            if plan.interval != last.plan.interval:
                one.anchor = last.end
            following = begun(plan, quantity, one.anchor, last.end)
            last.charges.append(in_advance(following))
            one.parts.append(following)

    def is_live(self, now: datetime) -> bool:
        """Whether a subscription runs."""
        self.advance(now)
        return bool(self.subscriptions) and self.subscriptions[-1].ended is None

    def end_of_period(self, now: datetime) -> datetime | None:
        """Where the current usage period ends; None without one."""
        return self.subscriptions[-1].parts[-1].end if self.is_live(now) else None

    def closed_parts(self, number: int, until: datetime) -> list[Span]:
        """The parts of a subscription that are over at `until`."""
        spans = self.parts_of(number, until)
        return spans if self.subscriptions[number].ended is not None else spans[:-1]

    def parts_of(self, number: int, until: datetime) -> list[Span]:
        """The parts of a subscription that have begun at `until`."""
        self.advance(until)
        return [span for span in self._spans() if span.place[0] == number and span.part]

    def ratings(
        self, events: list[dict[str, Any]], until: datetime, position: int
    ) -> dict[Place, Rating]:
        """Each stretch that begins by `until`, rated by the events up to a position."""
        return {
            span.place: self._rating(events, position, span, consumed, credited)
            for span, consumed, credited in self._rated(events, until, position)
        }

    def credit_left(self, events: list[dict[str, Any]], now: datetime, position: int) -> Decimal:
        """The credit that usage has left by `now`."""
        span, consumed, credited = self.current(events, now, position)
        burned = Decimal(0) if span.place == BEFORE else max(Decimal(0), consumed)
        return max(Decimal(0), credited - burned)

    def current(
        self, events: list[dict[str, Any]], now: datetime, position: int
    ) -> tuple[Span, Decimal, Decimal]:
        """The stretch at `now`, what is consumed in it, and the credit of it."""
        return list(self._rated(events, now, position))[-1]

    def settled(self, span: Span, usage: int) -> tuple[int, int]:
        """What a part with so much usage lacks to its minimum, and what is taken off all of it."""
        part = span.part
        assert part is not None
        missing = 0
        if part.plan.minimum is not None and not part.is_trial:
            missing = max(0, half_away(part.plan.minimum * self._share(span)) - usage)
        kinds = ("FIXED", "PRORATION")
        charged = sum(amount for kind, amount, _ in part.charges if kind in kinds and amount > 0)
        return missing, part.off.of(usage + missing + charged, part.off_share)

    def _share(self, span: Span) -> Fraction:
        number, index = span.place
        return self.subscriptions[number].granted.get(
            index or 0, span.part.share if span.part else WHOLE
        )

    def _rating(
        self,
        events: list[dict[str, Any]],
        position: int,
        span: Span,
        consumed: Decimal,
        credited: Decimal,
    ) -> Rating:
        if span.part is None:
            return rated(self.plans[0].tariff, WHOLE, consumed, credited)
        tariff = span.part.plan.tariff
        by_rate: list[Decimal] = []
        if tariff.scheme.rates:
            by_rate = [
                self._consumed(
                    [event for event in events if rate_of(tariff, event["metadata"]) == number],
                    span.during,
                    position,
                )
                for number in range(len(tariff.scheme.rates) + 1)
            ]
        rating = rated(tariff, self._share(span), consumed, credited, by_rate)
        return rating.free if span.part.is_trial else rating

    def _rated(
        self, events: list[dict[str, Any]], until: datetime, position: int
    ) -> Iterator[tuple[Span, Decimal, Decimal]]:
        self.advance(until)
        plain_before = rolling_before = Decimal(0)
        for span in self._spans():
            plain = span.plain + plain_before
            rolling = span.rolling + rolling_before + span.by_hand
            consumed = self._consumed(events, span.during, position)
            yield span, consumed, plain + rolling
            left = plain + rolling - (Decimal(0) if span.place == BEFORE else consumed)
            # What is plain burns first; of what rolls, the rest is carried over.
            rolling_left = max(Decimal(0), min(rolling, left))
            plain_left = max(Decimal(0), min(plain, left - rolling_left))
            part = span.part
            if part is None or part.cut is None:
                plain_before, rolling_before = Decimal(0), rolling_left
                continue
            # The grants burn before what was there already.
            own_plain = span.plain - max(Decimal(0), plain - plain_left)
            own_rolling = span.rolling - max(Decimal(0), rolling - rolling_left)
            plain_before = plain_left - taken(part.plain, part.cut, own_plain, plain_left)
            rolling_before = rolling_left - taken(part.rolling, part.cut, own_rolling, rolling_left)

    def _spans(self) -> list[Span]:
        """The customer's time, from always to the stretch that it is in."""
        starts = [one.parts[0].start for one in self.subscriptions]
        found = [Span(BEFORE, Period(ALWAYS, starts[0] if starts else NEVER))]
        for number, one in enumerate(self.subscriptions):
            for index, part in enumerate(one.parts):
                granted = one.granted.get(index, part.share)
                if part.cut is not None:
                    # It was granted for all that was left of the whole period when it began.
                    granted = part.share + part.cut
                found.append(
                    Span(
                        (number, index),
                        Period(part.start, part.end),
                        units_of(part.plain, granted),
                        units_of(part.rolling, granted),
                        part=part,
                    )
                )
            if one.ended is not None:
                following = starts[number + 1] if number + 1 < len(starts) else NEVER
                found.append(Span((number, None), Period(one.ended, following)))
        for span in found:
            span.by_hand = Decimal(sum(units for at, units in self.by_hand if at == span.place))
        return found

    def _consumed(self, events: Iterable[dict[str, Any]], during: Period, position: int) -> Decimal:
        counted = [
            event
            for event in events
            if event["position"] is not None
            and event["position"] <= position
            and during.start <= event["timestamp"] < during.end
        ]
        return aggregate(self.function, self.property, counted).quantity or Decimal(0)
