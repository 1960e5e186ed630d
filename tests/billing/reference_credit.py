"""How usage burns credit in the reference: grant by grant, piece by piece."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from billing.periods.intervals import Period
from tests.billing.reference_parts import ALWAYS, NEVER, Given, Span, Stretch, Terms, units_of


def burned_order(grants: Iterable[Given], end: datetime) -> list[Given]:
    """By priority, then what ends sooner, then what is older."""

    def place(one: Given) -> tuple[int, datetime, int, datetime, tuple[int, int, int]]:
        ends = min(one.ends or NEVER, end) if one.ends_with_period else one.ends or NEVER
        # What never ends comes after what ends with a time that has no end yet.
        never = int(one.ends is None and not one.ends_with_period)
        return one.priority, ends, never, one.begins or ALWAYS, one.age

    return sorted(grants, key=place)


def stretches_of(
    span: Span,
    left: dict[Given, Decimal],
    until: datetime,
    consumed: Callable[[Period], Decimal],
    *,
    adds_up: bool,
) -> list[Stretch]:
    """The pieces of a span that have begun by `until`; takes what they burn from `left`."""
    during = span.during
    bounds = {during.start, during.end}
    if adds_up:
        instants = {
            at
            for one in left
            if one.overlaps(Period(ALWAYS, NEVER))
            for at in (one.begins, one.ends)
        }
        bounds |= {at for at in instants if at is not None and during.start < at < during.end}
    found = []
    ordered = sorted(bounds)
    for start, end in pairwise(ordered):
        if start > until:
            break
        piece = Period(start, end)
        active = [one for one in burned_order(left, during.end) if one.overlaps(piece)]
        used = consumed(piece)
        found.append(Stretch(piece, used, sum((left[one] for one in active), Decimal(0))))
        for one in active:
            burned = max(Decimal(0), min(left[one], used))
            left[one] -= burned
            used -= burned
    return found


def passed_on(span: Span, left: Mapping[Given, Decimal]) -> dict[Given, Decimal]:
    """What the next span gets."""
    end = span.during.end
    is_cut = span.part is not None and span.part.cut is not None
    found = {
        one: units
        for one, units in left.items()
        if (one.ends is None or one.ends > end) and (is_cut or not one.ends_with_period)
    }
    if is_cut and span.part is not None and span.part.cut is not None:
        for one in span.given:
            if one in found and one.whole is not None:
                found[one] -= min(found[one], units_of(one.whole, span.part.cut))
        return found
    room: dict[Terms, Decimal] = {}
    for one in reversed(burned_order(found, end)):
        if one.limited is not None and one.limited.limit is not None:
            kept = min(found[one], room.get(one.limited, Decimal(one.limited.limit)))
            room[one.limited] = room.get(one.limited, Decimal(one.limited.limit)) - kept
            found[one] = kept
    return found
