"""Credit grants: which of them pay for the usage of a period, and what is left of each. Pure.

A period is cut into pieces at the instants where a grant begins or ends. Usage of a piece burns the
grants that are active in it: by priority, then the sooner end, then the older one.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing.numbers import minus, plus
from billing.periods.shares import share_of_units
from metering.problems import Problem, problem

NOTHING = Decimal(0)
DEFAULT_PRIORITY = 50
MAXIMUM_PRIORITY = 1_000
_FAR = datetime.max.replace(tzinfo=UTC)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CreditGrant:
    """Units that a customer may use on a meter from `begins` until `ends`.

    None means that this side has no bound. A grant that is not `is_rolling` ends with the period
    that it is in; it passes a change of the subscription, which cuts the period. If a benefit
    granted it, `whole_units` are what the benefit grants for a whole period, and at most
    `rollover_limit` units of all its grants carry over.
    """

    id: UUID
    units: Decimal
    is_rolling: bool = True
    begins: datetime | None = None
    ends: datetime | None = None
    priority: int = DEFAULT_PRIORITY
    benefit_id: UUID | None = None
    whole_units: Decimal | None = None
    rollover_limit: Decimal | None = None
    is_voided: bool = False
    reason: str | None = None

    @property
    def is_never(self) -> bool:
        """Whether it was voided before it began."""
        return self.is_voided and self.is_over(self.begins)

    def is_over(self, instant: datetime | None) -> bool:
        """Whether it has ended by an instant; None is before all others."""
        return self.ends is not None and instant is not None and self.ends <= instant

    def is_ahead(self, instant: datetime | None) -> bool:
        """Whether it begins at an instant or later; None is after all others."""
        return self.begins is not None and instant is not None and self.begins >= instant


@dataclass(frozen=True, slots=True)
class Holding:
    """A grant in a period: `is_new` if it was granted in it, and not carried over.

    `brought` are the units that came with it, of which `revoked` were taken back at once and
    `taken` by hand. At the end of the period, `revocable` units are taken back if they are unused.
    """

    grant: CreditGrant
    brought: Decimal
    is_new: bool = False
    revoked: Decimal = NOTHING
    taken: Decimal = NOTHING
    revocable: Decimal = NOTHING

    @property
    def units(self) -> Decimal:
        """What usage of the period may burn of it."""
        if self.grant.is_never:
            return NOTHING
        return max(NOTHING, minus(minus(self.brought, self.revoked), self.taken))

    def cut(self, remaining: Fraction) -> "Holding":
        """Returns it with what a change of the subscription takes back: this share of a period."""
        if not self.is_new or self.grant.whole_units is None:
            return self
        return replace(self, revocable=share_of_units(self.grant.whole_units, remaining))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece [start, end) of a period, and the units consumed in it."""

    start: datetime | None
    end: datetime | None
    consumed: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Burning:
    """What usage burns: `available` and `burned` by piece, `burned_of` and `left` by grant."""

    available: tuple[Decimal, ...]
    burned: tuple[Decimal, ...]
    burned_of: Mapping[UUID, Decimal]
    left: Mapping[UUID, Decimal]


def priority_problems(priority: int) -> list[Problem]:
    """Returns what is wrong with the priority of a grant."""
    if 0 <= priority <= MAXIMUM_PRIORITY:
        return []
    message = f"priority must be from 0 to {MAXIMUM_PRIORITY:,}."
    return [problem("INVALID", message, "priority")]


def cuts_within(
    holdings: Iterable[Holding], start: datetime | None, end: datetime | None
) -> tuple[datetime, ...]:
    """Returns the instants between `start` and `end` where a grant begins or ends, in order."""
    grants = [one.grant for one in holdings if not one.grant.is_never]
    instants = {at for grant in grants for at in (grant.begins, grant.ends)}
    return tuple(
        sorted(
            at
            for at in instants
            if at is not None and (start is None or at > start) and (end is None or at < end)
        )
    )


def in_order(holdings: Iterable[Holding], end: datetime | None) -> list[Holding]:
    """Returns grants in the order in which usage burns them, in a period that ends at `end`."""

    def place(one: Holding) -> tuple[int, bool, datetime, datetime, bytes]:
        grant, ends = one.grant, one.grant.ends
        if not grant.is_rolling:
            ends = min(ends or _FAR, end or _FAR)
        return grant.priority, ends is None, ends or _FAR, grant.begins or _LONG_AGO, grant.id.bytes

    return sorted(holdings, key=place)


def burn(holdings: Sequence[Holding], pieces: Sequence[Piece], end: datetime | None) -> Burning:
    """Lets the usage of pieces, in their order, burn the grants of a period that ends at `end`.

    A grant pays in every piece that it overlaps. A piece whose usage is negative burns nothing.
    """
    ordered = in_order(holdings, end)
    units = {one.grant.id: one.units for one in ordered}
    left = dict(units)
    active = _Active(ordered)
    available, burned = [], []
    for piece in pieces:
        active.advance(piece, left)
        available.append(active.units)
        burned.append(active.burn(max(NOTHING, piece.consumed), left))
    burned_of = {key: minus(of_grant, left[key]) for key, of_grant in units.items()}
    return Burning(tuple(available), tuple(burned), burned_of, left)


class _Active:
    """The grants that are active in one piece after the other, of which units are left.

    It looks at each grant once where it begins and once where it ends, and not in every piece:
    there can be a thousand grants, and two pieces for each.
    """

    def __init__(self, ordered: Sequence[Holding]) -> None:
        self.units = NOTHING
        self._grants = [one.grant for one in ordered]
        self._places: list[int] = []  # in the order of burning
        places = range(len(ordered))
        # The last ones are the next ones.
        self._ahead = sorted(places, key=lambda at: self._grants[at].begins or _LONG_AGO)[::-1]
        self._ending = sorted(places, key=lambda at: self._grants[at].ends or _FAR)[::-1]

    def advance(self, piece: Piece, left: Mapping[UUID, Decimal]) -> None:
        """Goes on to the next piece."""
        while self._ahead and not self._grants[self._ahead[-1]].is_ahead(piece.end):
            place = self._ahead.pop()
            grant = self._grants[place]
            if left[grant.id] and not grant.is_over(piece.start):
                insort(self._places, place)
                self.units = plus(self.units, left[grant.id])
        while self._ending and self._grants[self._ending[-1]].is_over(piece.start):
            place = self._ending.pop()
            found = bisect_left(self._places, place)
            if self._places[found : found + 1] == [place]:
                del self._places[found]
                self.units = minus(self.units, left[self._grants[place].id])

    def burn(self, wanted: Decimal, left: dict[UUID, Decimal]) -> Decimal:
        """Burns so many units, or all that there are. Returns how many."""
        burned, used_up = NOTHING, 0
        for place in self._places:
            if burned == wanted:
                break
            key = self._grants[place].id
            units = min(left[key], minus(wanted, burned))
            left[key], burned = minus(left[key], units), plus(burned, units)
            used_up += not left[key]
        del self._places[:used_up]
        self.units = minus(self.units, burned)
        return burned


def passed_on(
    holdings: Sequence[Holding], left: Mapping[UUID, Decimal], at: datetime, *, is_cut: bool
) -> list[Holding]:
    """Returns what the next period gets of grants of which this is left at the end, `at`.

    At the end of a period, it gets what rolls, within the limits of benefits. At a cut, it gets
    all, less what is revocable. Grants that begin or end later go on even if nothing is left of
    them, so that they cut later periods at the same instants, even if usage arrives late.
    """
    going_on = [
        one for one in holdings if not one.grant.is_over(at) and (is_cut or one.grant.is_rolling)
    ]
    passing = {one.grant.id: left[one.grant.id] for one in going_on}
    if not is_cut:
        passing = _limited(in_order(going_on, at), passing)
    return [
        Holding(
            one.grant,
            brought=passing[one.grant.id],
            revoked=min(one.revocable, passing[one.grant.id]),
        )
        for one in going_on
        if passing[one.grant.id] or one.grant.is_ahead(at) or one.grant.ends is not None
    ]


def _limited(ordered: Sequence[Holding], passing: Mapping[UUID, Decimal]) -> dict[UUID, Decimal]:
    """Returns what passes if at most the limit of each benefit does.

    The newest grant of a benefit says the limit. What would be burned last is kept.
    """
    newest: dict[UUID, CreditGrant] = {}
    for one in ordered:
        known = newest.get(one.grant.benefit_id) if one.grant.benefit_id else None
        if one.grant.benefit_id and (known is None or one.grant.id.bytes > known.id.bytes):
            newest[one.grant.benefit_id] = one.grant
    room = {key: grant.rollover_limit for key, grant in newest.items()}
    limited = dict(passing)
    for one in reversed(ordered):
        key = one.grant.benefit_id
        limit = None if key is None else room[key]
        if key is not None and limit is not None:
            limited[one.grant.id] = min(passing[one.grant.id], limit)
            room[key] = minus(limit, limited[one.grant.id])
    return limited
