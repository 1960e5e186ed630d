"""What the credit ledger says of a period. Pure.

The entries of a period add up to its credit: what its grants may still pay for, and what was used
before the current piece. When the period is closed, EXPIRY ends all of it. So the sum of all
entries is the credit of the open period.

What the entries should say follows from the period; new entries are the difference to what they
say. Entries never change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from billing.numbers import minus, plus
from billing.periods.grants import NOTHING, Burning, Holding, Piece
from billing.periods.metered_periods import MeteredPeriod


class EntryKind(StrEnum):
    """Why units were credited or debited."""

    GRANT = "GRANT"
    MANUAL = "MANUAL"
    EXPIRY = "EXPIRY"
    CARRIED_OVER = "CARRIED_OVER"
    REVOKE = "REVOKE"
    VOID = "VOID"
    UNCOVERED = "UNCOVERED"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry for the credit ledger of a period."""

    period: MeteredPeriod
    kind: EntryKind
    units: Decimal
    is_rolling: bool
    benefit_id: UUID | None = None
    reason: str | None = None
    grant_id: UUID | None = None

    @property
    def is_granted(self) -> bool:
        """Whether it gives new credit: a grant, or a credit by hand."""
        return self.kind in {EntryKind.GRANT, EntryKind.MANUAL} and self.units > 0


class Booked(NamedTuple):
    """A kind of entries of a period that are about a grant, or about none."""

    kind: EntryKind
    is_rolling: bool
    grant_id: UUID | None


def credit_of(pieces: Sequence[Piece], burning: Burning) -> Decimal:
    """Returns the credit of an open period, of which these pieces have begun.

    It is what is available in the last piece, and what was used before.
    """
    used = reduce(plus, (piece.consumed for piece in pieces[:-1]), NOTHING)
    return plus(used, burning.available[-1])


def new_entries(
    period: MeteredPeriod,
    pieces: Sequence[Piece],
    burning: Burning,
    booked: Mapping[Booked, Decimal],
) -> list[LedgerEntry]:
    """Returns the entries that a period lacks.

    Args:
        period: a period as it is now. If it is closed, all its credit has ended.
        pieces: those of its pieces that have begun.
        burning: what their usage burns.
        booked: the sums of its entries.
    """
    entries: list[LedgerEntry] = []

    def book(kind: EntryKind, units: Decimal, *, is_rolling: bool) -> None:
        lacking = minus(units, booked.get(Booked(kind, is_rolling, None), NOTHING))
        if lacking:
            entries.append(LedgerEntry(period, kind, lacking, is_rolling))

    carried = [one for one in period.holdings if not _enters(one, period)]
    for kind in (EntryKind.CARRIED_OVER, EntryKind.REVOKE):
        for is_rolling in (False, True):
            units = [
                one.brought if kind is EntryKind.CARRIED_OVER else minus(NOTHING, one.revoked)
                for one in carried
                if one.grant.is_rolling is is_rolling
            ]
            book(kind, reduce(plus, units, NOTHING), is_rolling=is_rolling)
    of_grants: dict[UUID | None, dict[Booked, Decimal]] = {}
    for key, booked_units in booked.items():
        of_grants.setdefault(key.grant_id, {})[key] = booked_units
    for one in period.holdings:
        known = of_grants.get(one.grant.id, {})
        entries += _of_grant(one, period, pieces[-1], burning.left[one.grant.id], known)
    used = [
        minus(piece.consumed, burned)
        for piece, burned in zip(pieces[:-1], burning.burned[:-1], strict=True)
    ]
    book(EntryKind.UNCOVERED, reduce(plus, used, NOTHING), is_rolling=False)
    if period.usage is not None:
        ended = Booked(EntryKind.EXPIRY, is_rolling=True, grant_id=None)
        others = [units for key, units in booked.items() if key != ended]
        all_credit = reduce(plus, [*others, *(entry.units for entry in entries)], NOTHING)
        book(EntryKind.EXPIRY, minus(NOTHING, all_credit), is_rolling=True)
    return entries


def _enters(one: Holding, period: MeteredPeriod) -> bool:
    """Whether a grant becomes credit in this period, and not in an earlier one."""
    return one.is_new or one.grant.is_ahead(period.start)


def _of_grant(
    one: Holding,
    period: MeteredPeriod,
    last: Piece,
    left: Decimal,
    known: Mapping[Booked, Decimal],
) -> list[LedgerEntry]:
    """Returns the entries about a grant: that it has begun, and that what is left has ended.

    `known` are the sums of its own entries.
    """
    grant = one.grant
    if grant.is_ahead(last.end) or grant.is_never:
        return []
    # Late usage may have used before what was taken by hand.
    taken = minus(minus(one.brought, one.revoked), one.units)
    lacking = minus(NOTHING, plus(taken, reduce(plus, known.values(), NOTHING)))
    entries: list[LedgerEntry] = []

    def book(kind: EntryKind, units: Decimal) -> None:
        if units:
            entries.append(
                LedgerEntry(
                    period,
                    kind,
                    units,
                    grant.is_rolling,
                    grant.benefit_id,
                    grant.reason if kind is EntryKind.MANUAL else None,
                    grant.id,
                )
            )

    if _enters(one, period):
        lacking = plus(lacking, one.brought)
        kind = EntryKind.MANUAL if grant.benefit_id is None else EntryKind.GRANT
        if all(key.kind is not kind for key in known):
            book(kind, one.brought)
            lacking = minus(lacking, one.brought)
    if grant.is_over(last.start):
        lacking = minus(lacking, left)
    book(EntryKind.VOID if grant.is_voided else EntryKind.EXPIRY, lacking)
    return entries
