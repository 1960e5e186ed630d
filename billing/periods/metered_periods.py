"""The chain of a customer's periods on a meter: closing, opening, and rating anew. Pure.

Every link hands its carry-over to the next, so a change of one can reach to the open link at the
end. What happens is also said as entries of the credit ledger: the credit of a period is the sum
of its entries without EXPIRY, and the sum of all entries is the credit of the open period.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from billing.periods.credits import Credit, carried_over
from billing.rating.exact import minus
from billing.rating.pricing import Rating
from models.identifiers import new_id

NOTHING = Decimal(0)


class EntryKind(StrEnum):
    """Why units were put into the ledger, or taken out."""

    GRANT = "GRANT"
    MANUAL = "MANUAL"
    EXPIRY = "EXPIRY"
    CARRIED_OVER = "CARRIED_OVER"
    REVOKE = "REVOKE"


@dataclass(frozen=True, slots=True)
class Grant:
    """Units that a benefit brings at a period's start."""

    benefit_id: UUID
    units: Decimal
    rollover: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Units consumed in a period, by the events up to `position`.

    `is_behind`: the log was longer than that, because the meter had not counted all of it.
    """

    consumed: Decimal
    position: int
    is_behind: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A period [start, end) of a customer on a meter; see models.MeteredPeriod.

    `usage` and `carried` are those of a closed link. `billed` is what invoices say of it so far.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    subscription_id: UUID | None
    price_id: UUID | None
    start: datetime | None
    end: datetime | None
    credit: Credit
    usage: Usage | None = None
    carried: Decimal = NOTHING
    billed: Rating | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be added to the ledger of a link."""

    link: Link
    kind: EntryKind
    units: Decimal
    is_rolling: bool
    benefit_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """How the chain of a customer on a meter goes on at `at`.

    With a subscription's period, which lasts `until`; or, where `subscription_id` is None, with
    the time between subscriptions.
    """

    customer_id: UUID
    meter_id: UUID
    at: datetime
    until: datetime | None = None
    subscription_id: UUID | None = None
    price_id: UUID | None = None
    grants: tuple[Grant, ...] = ()


def close(link: Link, at: datetime, usage: Usage) -> tuple[Link, list[Entry]]:
    """The link as it ends at `at`: all its credit expires, part of it to be carried over.

    What was used before the first subscription, where a link has no start, burns no credit.
    """
    burned = NOTHING if link.start is None else usage.consumed
    carried = carried_over(link.credit, burned)
    closed = replace(link, end=at, usage=usage, carried=carried)
    return closed, _entries(closed, EntryKind.EXPIRY, minus(NOTHING, link.credit.credited))


def begin(step: Step, previous: Link | None) -> tuple[Link, list[Entry]]:
    """The link that a step opens after the closed one before it, if there is one."""
    carried = NOTHING if previous is None else previous.carried
    credit = Credit(rolling=carried)
    for grant in step.grants:
        credit = (
            credit.add(rolling=grant.units) if grant.rollover else credit.add(plain=grant.units)
        )
    link = Link(
        id=new_id(),
        customer_id=step.customer_id,
        meter_id=step.meter_id,
        subscription_id=step.subscription_id,
        price_id=step.price_id,
        start=step.at,
        end=step.until,
        credit=credit,
    )
    entries = _entries(link, EntryKind.CARRIED_OVER, carried)
    entries += (
        Entry(link, EntryKind.GRANT, grant.units, grant.rollover, grant.benefit_id)
        for grant in step.grants
    )
    return link, entries


def rerated(links: Sequence[Link], usages: Mapping[UUID, Usage]) -> tuple[list[Link], list[Entry]]:
    """The links with their usage as it is now, and the ledger entries that this brings.

    Args:
        links: consecutive links of one chain, up to the open one.
        usages: the usage of closed links, by the link's id; others keep theirs.
    """
    result: list[Link] = []
    entries: list[Entry] = []
    change = NOTHING
    for link in links:
        current = link
        if change:
            current = replace(link, credit=link.credit.add(rolling=change))
            entries += _entries(current, EntryKind.CARRIED_OVER, change)
        if link.usage is None:
            result.append(current)
            break
        if change:
            entries += _entries(current, EntryKind.EXPIRY, minus(NOTHING, change))
        usage = usages.get(link.id, link.usage)
        carried = link.carried
        if link.start is not None:
            carried = carried_over(current.credit, usage.consumed)
        change = minus(carried, link.carried)
        result.append(replace(current, usage=usage, carried=carried))
    return result, entries


def _entries(link: Link, kind: EntryKind, units: Decimal) -> list[Entry]:
    return [Entry(link, kind, units, is_rolling=True)] if units else []
