"""The credit of open periods at an instant: their grants, less what earlier pieces have used.

While no grant begins or ends within a period, its credit follows from the grants alone, and usage
is counted without looking at them. At the instant where one begins or ends, the cycle computes the
credit again (`turn_credit`). From then on, events from before that instant are late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.numbers import plus
from billing.periods.billed_meters import AskedPeriod, CountedMeter, counted_meters, usage_by_meter
from billing.periods.grants import NOTHING, Burning, Piece, burn
from billing.periods.ledger import credit_of, new_entries
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.open_periods import open_periods
from billing.periods.stored_credit import (
    OpenCredit,
    booked_entries,
    insert_entries,
    store_credit,
)
from billing.transaction import BillingTransaction, columns
from metering.usage.customer_periods import CustomerPeriod


@dataclass(frozen=True, slots=True)
class SoFar:
    """The pieces of an open period that have begun. The last one has no usage yet.

    `until` is where the last piece ends if it ends within the period. `turned_at` is where it
    began, unless that is the start of the period. The earlier pieces are as of `position` of the
    log; `is_behind`: the log had more events, which the meter had not counted yet.
    """

    period: MeteredPeriod
    pieces: tuple[Piece, ...]
    until: datetime | None
    turned_at: datetime | None
    position: int
    is_behind: bool

    def credit(self, burning: Burning) -> OpenCredit:
        """Returns the credit of the period in its last piece; `burning` is of any usage of that."""
        return OpenCredit(self.period, credit_of(self.pieces, burning), self.until)

    @property
    def consumed(self) -> Decimal:
        """The units consumed in the earlier pieces."""
        return reduce(plus, (piece.consumed for piece in self.pieces))

    def burning(self, consumed: Decimal) -> Burning:
        """Returns what usage burns if so many units are consumed in the last piece."""
        last = self.pieces[-1]
        burning = NOTHING if self.period.start is None else consumed
        pieces = [*self.pieces[:-1], Piece(last.start, last.end, burning)]
        return burn(self.period.holdings, pieces, self.period.end)

    def remaining(self, burning: Burning) -> dict[UUID, Decimal]:
        """Returns what is left of each grant. Of one that has ended, nothing is left."""
        begun = self.pieces[-1].start
        return {
            one.grant.id: NOTHING if one.grant.is_over(begun) else burning.left[one.grant.id]
            for one in self.period.holdings
        }


async def so_far(
    connection: BaseDBAsyncClient,
    meters: Mapping[UUID, CountedMeter],
    periods: Sequence[MeteredPeriod],
    now: datetime,
) -> list[SoFar]:
    """Returns the pieces of open periods that have begun, with the usage of those that are over.

    A period that no grant has cut yet costs no statement.
    """
    begun = [_begun(period, meters[period.meter_id], now) for period in periods]
    asked = [
        AskedPeriod(
            period.meter_id,
            CustomerPeriod(period.customer_id, period.start, cuts[-1]),
            (),
            cuts[:-1],
        )
        for period, (cuts, _until) in zip(periods, begun, strict=True)
        if cuts and period.start is not None
    ]
    usages = iter(await usage_by_meter(connection, meters, asked))
    found = []
    for period, (cuts, until) in zip(periods, begun, strict=True):
        consumed = [NOTHING] * len(cuts)
        if cuts and period.start is not None:
            usage = next(usages)
            consumed = [piece.consumed for piece in usage.pieces] or [usage.consumed]
        starts = (period.start, *cuts)
        ends = (*cuts, period.end if until is None else until)
        meter = meters[period.meter_id]
        found.append(
            SoFar(
                period,
                tuple(map(Piece, starts, ends, (*consumed, NOTHING))),
                until,
                cuts[-1] if cuts and period.start is not None else None,
                meter.position,
                meter.is_behind,
            )
        )
    return found


def _begun(
    period: MeteredPeriod, meter: CountedMeter, now: datetime
) -> tuple[tuple[datetime, ...], datetime | None]:
    """Returns where the period is cut up to `now`, and where it is cut next."""
    if not meter.adds_up and period.start is not None:
        return (), None
    cuts = period.cuts
    return (
        tuple(at for at in cuts if at <= now),
        next((at for at in cuts if at > now), None),
    )


async def settle_credit(
    transaction: BillingTransaction,
    opened: Sequence[MeteredPeriod],
    closed: Sequence[MeteredPeriod] = (),
) -> None:
    """Makes the ledger and `customer_meter` say what the stored grants of periods make of them."""
    if not opened and not closed:
        return
    meters = await counted_meters(
        transaction.connection,
        transaction.organization_id,
        transaction.head,
        {period.meter_id for period in opened},
    )
    found = await so_far(transaction.connection, meters, opened, transaction.now)
    burnings = [one.burning(NOTHING) for one in found]
    settled = [(period, period.pieces, period.burning) for period in closed]
    settled += (
        (one.period, list(one.pieces), burning)
        for one, burning in zip(found, burnings, strict=True)
    )
    booked = await booked_entries(transaction, [period.id for period, *_ in settled])
    entries = [
        entry
        for period, pieces, burning in settled
        for entry in new_entries(period, pieces, burning, booked.get(period.id, {}))
    ]
    await insert_entries(transaction, entries)
    credits_ = [one.credit(burning) for one, burning in zip(found, burnings, strict=True)]
    await store_credit(transaction, credits_)
    await _mark_turned(transaction, [one for one in found if one.turned_at is not None])


async def turn_credit(transaction: BillingTransaction, limit: int) -> int:
    """Settles the credit of customer meters where a grant has begun or ended since.

    Returns how many there were: at most `limit`.
    """
    rows = await transaction.rows(
        """
        SELECT customer_id, meter_id FROM customer_meter
        WHERE organization_id = $1 AND credit_until <= $2
        ORDER BY credit_until
        LIMIT $3
        """,
        transaction.now,
        limit,
    )
    found = await open_periods(
        transaction.connection,
        transaction.organization_id,
        [(row["customer_id"], row["meter_id"]) for row in rows],
    )
    await settle_credit(transaction, [one.period for one in found.values()])
    return len(rows)


async def _mark_turned(transaction: BillingTransaction, turned: Sequence[SoFar]) -> None:
    """Records that events from before the last pieces of these periods are late from now on."""
    if not turned:
        return
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET turned_at = turned.at, position = turned.position, is_behind = turned.is_behind
        FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::boolean[])
            AS turned (id, at, position, is_behind)
        WHERE kept.organization_id = $1 AND kept.id = turned.id
        """,
        *columns(
            turned,
            lambda one: one.period.id,
            lambda one: one.turned_at,
            lambda one: one.position,
            lambda one: one.is_behind,
        ),
    )
    await move_frontiers(
        transaction,
        [(one.period.customer_id, one.turned_at) for one in turned if one.turned_at is not None],
    )


async def move_frontiers(
    transaction: BillingTransaction, ends: Sequence[tuple[UUID, datetime]]
) -> None:
    """Records that customers' events from before these instants are late from now on.

    Late events of an erased customer are not billed.
    """
    latest: dict[UUID, datetime] = {}
    for customer_id, end in ends:
        latest[customer_id] = max(end, latest.get(customer_id, end))
    await transaction.run(
        """
        INSERT INTO billing_frontier AS kept (organization_id, customer_id, closed_through)
        SELECT $1, closed.customer_id, closed.through
        FROM unnest($2::uuid[], $3::timestamptz[]) AS closed (customer_id, through)
        JOIN customer ON customer.organization_id = $1 AND customer.id = closed.customer_id
        WHERE customer.erased_at IS NULL
        ON CONFLICT (organization_id, customer_id) DO UPDATE
        SET closed_through = greatest(kept.closed_through, excluded.closed_through)
        """,
        *columns(latest.items(), lambda item: item[0], lambda item: item[1]),
    )
