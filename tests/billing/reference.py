"""The reference: a customer's time on a meter, rated once more in Python from the raw events.

It knows the events, the prices, and what was asked for when: subscriptions, their changes and ends,
benefits, credit by hand. It knows nothing of what billing stores in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.periods.intervals import Period
from billing.rating.pricing import Rating
from tests.billing.reference_credit import burned_order, passed_on, stretches_of
from tests.billing.reference_parts import (
    ALWAYS,
    BEFORE,
    NEVER,
    WHOLE,
    Given,
    Part,
    Place,
    Span,
    Stretch,
    Terms,
    granted,
    half_away,
)
from tests.billing.reference_prices import rate_of, rated
from tests.billing.reference_timeline import Timeline
from tests.reference.aggregations import aggregate
from tests.reference.carried import carried, numbers_of


@dataclass
class Reference(Timeline):
    """A customer's time on one meter. Whoever tells it something says when."""

    function: str
    property: str | None
    carries_over: bool = False
    by_hand: list[tuple[Place, Given]] = field(default_factory=list)
    _granted: dict[Part, list[Given]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whether grants can begin and end within periods.
        self.adds_up = self.function in {"COUNT", "SUM"}

    # ------------------------------------------------------------ what is asked for

    def give_benefits(self, now: datetime, plain: int, rolling: int, terms: Terms) -> None:
        """Periods of the first plan that begin later get other grants."""
        self.advance(now)
        self.plans[0].plain, self.plans[0].rolling = Decimal(plain), Decimal(rolling)
        self.plans[0].terms = terms

    def credit(
        self,
        now: datetime,
        units: int,
        begins: datetime | None = None,
        ends: datetime | None = None,
        priority: int = 50,
    ) -> None:
        """Units are credited by hand, for all of the present stretch unless it says otherwise."""
        self.advance(now)
        spans = self._spans()
        start = None if spans[-1].place == BEFORE else spans[-1].during.start
        age = (len(spans), 1, len(self.by_hand))
        given = Given(Decimal(units), begins or start, ends, age, priority)
        self.by_hand.append((spans[-1].place, given))

    def debit(self, events: list[dict[str, Any]], now: datetime, position: int, units: int) -> None:
        """Units are taken of what usage would burn last."""
        span, left = self.left(events, now, position)
        asked = Decimal(units)
        for one in reversed(burned_order(left, span.during.end)):
            if one.overlaps(Period(now, now.replace(year=now.year + 1))) or not self.adds_up:
                taken = min(asked, left[one])
                self._take(one, span.place, taken)
                asked -= taken
        assert asked == 0

    def void(self, events: list[dict[str, Any]], now: datetime, position: int, number: int) -> bool:
        """A credit by hand is voided, if anything remains of it."""
        span, left = self.left(events, now, position)
        one = self.by_hand[number][1]
        if not left.get(one):
            return False
        if not self.adds_up:
            self._take(one, span.place, left[one])
        one.ends = now if one.ends is None else min(one.ends, now)
        return True

    @staticmethod
    def _take(one: Given, place: Place, units: Decimal) -> None:
        one.taken[place] = one.taken.get(place, Decimal(0)) + units

    # ------------------------------------------------------------ what follows from it

    def span(self, now: datetime) -> Span:
        """The stretch at `now`."""
        self.advance(now)
        return self._spans()[-1]

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
            span.place: self._rating(events, position, span, stretches)
            for span, stretches, _left in self._rated(events, until, position)
        }

    def credit_left(self, events: list[dict[str, Any]], now: datetime, position: int) -> Decimal:
        """The credit that usage has left by `now`."""
        _span, left = self.left(events, now, position)
        present = Period(now, now.replace(year=now.year + 1))
        return sum(
            (units for one, units in left.items() if one.overlaps(present) or not self.adds_up),
            Decimal(0),
        )

    def left(
        self, events: list[dict[str, Any]], now: datetime, position: int
    ) -> tuple[Span, dict[Given, Decimal]]:
        """The stretch at `now`, and what is left of each grant that has not ended."""
        span, _stretches, left = list(self._rated(events, now, position))[-1]
        if not self.adds_up:
            return span, left
        return span, {
            one: units for one, units in left.items() if one.ends is None or one.ends > now
        }

    def current(
        self, events: list[dict[str, Any]], now: datetime, position: int
    ) -> tuple[Span, Decimal, Decimal]:
        """The stretch at `now`, what is consumed in it, and the credit of it."""
        span, stretches, _left = list(self._rated(events, now, position))[-1]
        used = sum((one.consumed for one in stretches[:-1]), Decimal(0))
        if span.place == BEFORE:
            used = Decimal(0)
        consumed = self._consumed(events, span.during, position, is_open=True)
        return span, consumed, used + stretches[-1].credit

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
        stretches: Sequence[Stretch],
    ) -> Rating:
        consumed = self._consumed(events, span.during, position)
        credited = sum(
            (max(Decimal(0), min(one.consumed, one.credit)) for one in stretches), Decimal(0)
        )
        if span.part is None:
            return rated(self.plans[0].tariff, WHOLE, consumed, credited)
        tariff = span.part.plan.tariff
        by_rate: list[tuple[Decimal, Decimal]] = []
        if tariff.scheme.rates:
            by_rate = [(Decimal(0), Decimal(0))] * (len(tariff.scheme.rates) + 1)
            for stretch in stretches:
                left = stretch.credit
                for number, (used_before, covered_before) in enumerate(by_rate):
                    of_rate = [
                        event for event in events if rate_of(tariff, event["metadata"]) == number
                    ]
                    used = self._consumed(of_rate, stretch.during, position)
                    covered = max(Decimal(0), min(left, used))
                    left -= covered
                    by_rate[number] = (used_before + used, covered_before + covered)
        rating = rated(tariff, self._share(span), consumed, credited, by_rate)
        return rating.free if span.part.is_trial else rating

    def _rated(
        self, events: list[dict[str, Any]], until: datetime, position: int
    ) -> Iterator[tuple[Span, list[Stretch], dict[Given, Decimal]]]:
        """Each span, what is consumed in its pieces, and what is left of each grant in the end."""
        self.advance(until)
        left: dict[Given, Decimal] = {}
        spans = self._spans()
        for span in spans:
            left |= {one: one.units for one in span.given}
            for one in left:
                left[one] = max(Decimal(0), left[one] - one.taken.get(span.place, Decimal(0)))

            def consumed(
                during: Period, place: Place = span.place, *, is_open: bool = span is spans[-1]
            ) -> Decimal:
                if place == BEFORE:
                    return Decimal(0)
                return self._consumed(events, during, position, is_open=is_open)

            stretches = stretches_of(span, left, until, consumed, adds_up=self.adds_up)
            yield span, stretches, dict(left)
            left = passed_on(span, left)

    def _spans(self) -> list[Span]:
        """The customer's time, from always to the stretch that it is in."""
        starts = [one.parts[0].start for one in self.subscriptions]
        found = [Span(BEFORE, Period(ALWAYS, starts[0] if starts else NEVER))]
        for number, one in enumerate(self.subscriptions):
            for index, part in enumerate(one.parts):
                share = one.granted.get(index, part.share)
                if part.cut is not None:
                    # It was granted for all that was left of the whole period when it began.
                    share = part.share + part.cut
                if part not in self._granted:
                    self._granted[part] = granted(part, len(found) + 1, share, adds_up=self.adds_up)
                found.append(
                    Span(
                        (number, index),
                        Period(part.start, part.end),
                        list(self._granted[part]),
                        part=part,
                    )
                )
            if one.ended is not None:
                following = starts[number + 1] if number + 1 < len(starts) else NEVER
                found.append(Span((number, None), Period(one.ended, following)))
        for span in found:
            span.given += (given for at, given in self.by_hand if at == span.place)
        return found

    def _consumed(
        self,
        events: Iterable[dict[str, Any]],
        during: Period,
        position: int,
        *,
        is_open: bool = False,
    ) -> Decimal:
        """What is consumed in a stretch; if it is open and grows, until its latest event."""
        counted = [
            event
            for event in events
            if event["position"] is not None
            and event["position"] <= position
            and (event["voided_at"] is None or event["voided_at"] > position)
        ]
        grows = self.function == "TIME_WEIGHTED"
        if (self.carries_over or grows) and self.property is not None:
            start, end = during.start, during.end
            if grows and is_open:
                numbers = numbers_of(self.property, counted)
                instants = [instant for instant, _, _ in numbers if instant < end]
                end = max([start, *instants])
            return carried(self.function, self.property, counted, start, end).quantity or Decimal(0)
        inside = [event for event in counted if during.start <= event["timestamp"] < during.end]
        return aggregate(self.function, self.property, inside).quantity or Decimal(0)
