"""What usage burns of grants, compared with burning unit by unit."""

import time
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.periods.grants import CreditGrant, Holding, Piece, burn, cuts_within, passed_on
from billing.subscriptions.manual_credit import MAXIMUM_GRANTS
from models.identifiers import new_id
from tests.billing.world import instant

START = instant("2026-01-01")
END = START + timedelta(days=10)

days = st.integers(-3, 14).map(lambda day: START + timedelta(days=day))
grants = st.lists(
    st.builds(
        lambda units, begins, ends, priority, is_rolling: CreditGrant(
            new_id(),
            Decimal(units),
            is_rolling,
            begins,
            None if ends is None else max(ends, begins or ends) + timedelta(hours=1),
            priority,
        ),
        st.integers(0, 9),
        st.none() | days,
        st.none() | days,
        st.integers(49, 51),
        st.booleans(),
    ),
    max_size=7,
)
usage = st.lists(st.tuples(st.integers(0, 10 * 24 - 1), st.integers(0, 12)), max_size=12)


def by_unit(given_: list[CreditGrant], events: list[tuple[datetime, int]]) -> list[Decimal]:
    """Each unit takes one of the first grant that is active at its instant."""
    left = {grant.id: grant.units for grant in given_}

    def order(grant: CreditGrant) -> tuple[int, float, float]:
        ends = [] if grant.ends is None else [grant.ends.timestamp()]
        if not grant.is_rolling:
            ends.append(END.timestamp())
        begins = -1e12 if grant.begins is None else grant.begins.timestamp()
        return grant.priority, min(ends, default=1e12), begins

    for at, units in sorted(events):
        for _ in range(units):
            for grant in sorted(given_, key=order):
                is_active = (grant.begins is None or grant.begins <= at) and (
                    grant.ends is None or at < grant.ends
                )
                if is_active and left[grant.id]:
                    left[grant.id] -= 1
                    break
    return [left[grant.id] for grant in given_]


@given(grants, usage)
def test_pieces_burn_what_units_burn_one_by_one(
    given_: list[CreditGrant], used: list[tuple[int, int]]
) -> None:
    events = [(START + timedelta(hours=hour), units) for hour, units in used]
    holdings = [Holding(grant, grant.units, is_new=True) for grant in given_]
    bounds = [START, *cuts_within(holdings, START, END), END]
    pieces = [
        Piece(start, end, Decimal(sum(units for at, units in events if start <= at < end)))
        for start, end in pairwise(bounds)
    ]
    burning = burn(holdings, pieces, END)
    assert [burning.left[grant.id] for grant in given_] == by_unit(given_, events)
    assert sum(burning.burned) == sum(burning.burned_of.values())
    for number, (piece, burned) in enumerate(zip(pieces, burning.burned, strict=True)):
        until = burn(holdings, pieces[:number], END).left
        active = [
            until[grant.id]
            for grant in given_
            if (grant.begins is None or grant.begins < (piece.end or END))
            and (grant.ends is None or grant.ends > (piece.start or START))
        ]
        assert burning.available[number] == sum(active)
        assert burned == min(piece.consumed, sum(active))


def test_as_many_grants_as_allowed_are_burned_in_milliseconds() -> None:
    """The rating of a customer with 1,000 grants, in 2,000 pieces, took several seconds."""
    holdings = [
        Holding(
            CreditGrant(
                new_id(),
                Decimal(1),
                begins=START + timedelta(seconds=number),
                ends=START + timedelta(days=5, seconds=number),
            ),
            Decimal(1),
        )
        for number in range(MAXIMUM_GRANTS)
    ]
    bounds = [START, *cuts_within(holdings, START, END), END]
    pieces = [Piece(start, end, Decimal("0.4")) for start, end in pairwise(bounds)]
    taken = []
    for _ in range(5):  # of this thread's own time, and again if it was interrupted
        begun = time.thread_time()
        burning = burn(holdings, pieces, END)
        taken.append(time.thread_time() - begun)
    assert min(taken) < 0.5
    assert burning.available[:3] == (Decimal(1), Decimal("1.6"), Decimal("2.2"))
    assert sum(burning.burned[:MAXIMUM_GRANTS]) == 400
    assert sum(burning.burned) == sum(burning.burned_of.values())


@given(grants, usage, st.booleans())
def test_what_is_passed_on_is_what_is_left_and_lasts(
    given_: list[CreditGrant], used: list[tuple[int, int]], is_cut: bool
) -> None:
    holdings = [Holding(grant, grant.units, is_new=True) for grant in given_]
    consumed = Decimal(sum(units for _, units in used))
    left = burn(holdings, [Piece(START, END, consumed)], END).left
    passed = {one.grant.id: one.units for one in passed_on(holdings, left, END, is_cut=is_cut)}
    for grant in given_:
        lasts = (grant.ends is None or grant.ends > END) and (grant.is_rolling or is_cut)
        assert passed.get(grant.id, Decimal(0)) == (left[grant.id] if lasts else 0)


def test_the_limit_of_a_benefit_keeps_its_newest_units() -> None:
    benefit_id = new_id()
    old, new = (
        CreditGrant(
            new_id(), Decimal(30), begins=START, benefit_id=benefit_id, rollover_limit=Decimal(40)
        )
        for _ in range(2)
    )
    other = CreditGrant(new_id(), Decimal(5), begins=START)
    holdings = [Holding(grant, grant.units) for grant in (old, new, other)]
    left = {old.id: Decimal(30), new.id: Decimal(30), other.id: Decimal(5)}
    passed = {one.grant.id: one.units for one in passed_on(holdings, left, END, is_cut=False)}
    assert passed == {old.id: 10, new.id: 30, other.id: 5}


def test_digits_are_kept() -> None:
    units = Decimal("123456789012345678901234567890.123456789012")
    grant = CreditGrant(new_id(), units)
    left = burn([Holding(grant, units)], [Piece(START, END, Decimal("1e-12"))], END).left
    assert left[grant.id] == Decimal("123456789012345678901234567890.123456789011")
