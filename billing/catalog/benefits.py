"""Benefits: the kinds that exist, and the benefits that a product includes.

To add a kind, add a member of BenefitKind, its class, and its case in `benefit_class`: mypy fails
without the case. Then add its input, type and mutation to the API (decision 81).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self, assert_never
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.price_meters import ADDING_UP
from billing.catalog.prices import meter_problems
from billing.numbers import units_problems
from billing.periods.grants import DEFAULT_PRIORITY, priority_problems
from billing.periods.metered_periods import Grant
from billing.transaction import columns
from metering.language.aggregations import AggregationFunction
from metering.problems import Problem, RefusedError, problem
from models.identifiers import new_id

MAXIMUM_BENEFITS = 100
MAXIMUM_DAYS = 3650


class BenefitKind(StrEnum):
    """What a benefit gives to a subscription."""

    METER_CREDIT = "METER_CREDIT"


class BenefitDefinition(ABC):
    """The definition of a benefit. `meter_id` is the meter that it concerns, if any."""

    __slots__ = ()

    kind: ClassVar[BenefitKind]
    meter_id: UUID | None

    @abstractmethod
    def problems(self, live_meters: Mapping[UUID, bool]) -> list[Problem]:
        """Returns what is wrong with it. `live_meters` says of each meter whether it is live."""

    @abstractmethod
    def function_problems(self, function: AggregationFunction) -> list[Problem]:
        """Returns what is wrong with it for a meter with this function."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Returns the parameters as they are stored."""

    @classmethod
    @abstractmethod
    def from_json(cls, meter_id: UUID | None, stored: Mapping[str, Any]) -> Self:
        """Loads the benefit from what `to_json` returned."""

    @abstractmethod
    def grant(self, benefit_id: UUID) -> Grant | None:
        """Returns the credit that it grants at the start of a period, if any."""


@dataclass(frozen=True, slots=True)
class MeterCredit(BenefitDefinition):
    """Credits units of a meter every period.

    They end with the period. With `expires_after_days`, they last for so long instead; with
    `rollover`, what is left carries over, at most `rollover_limit` units of all its grants. With
    `per_quantity`, a subscription's quantity multiplies the units.
    """

    kind: ClassVar = BenefitKind.METER_CREDIT

    meter_id: UUID | None  # None where an input names no meter
    units: Decimal
    rollover: bool = False
    priority: int = DEFAULT_PRIORITY
    expires_after_days: int | None = None
    rollover_limit: Decimal | None = None
    per_quantity: bool = False

    def problems(self, live_meters: Mapping[UUID, bool]) -> list[Problem]:
        """Returns what is wrong with the units, the meter, and how long they last."""
        found = [
            *units_problems(self.units, "units"),
            *meter_problems(self.meter_id, live_meters, "meterId"),
            *priority_problems(self.priority),
        ]
        days = self.expires_after_days
        if days is not None and not 1 <= days <= MAXIMUM_DAYS:
            message = f"expiresAfterDays must be from 1 to {MAXIMUM_DAYS:,}."
            found.append(problem("INVALID", message, "expiresAfterDays"))
        if self.rollover_limit is not None:
            found += units_problems(self.rollover_limit, "rolloverLimit")
            if not self.rollover:
                message = "Only units that roll over can have a rolloverLimit."
                found.append(problem("INVALID", message, "rolloverLimit"))
        return found

    def function_problems(self, function: AggregationFunction) -> list[Problem]:
        """Returns what is wrong with it for a meter with this function."""
        if self.expires_after_days is None or function in ADDING_UP:
            return []
        message = (
            "Grants can end within a period only if the meter counts or sums: COUNT or SUM. "
            "Leave out expiresAfterDays."
        )
        return [problem("INVALID", message, "expiresAfterDays")]

    def to_json(self) -> dict[str, Any]:
        """Returns the parameters as they are stored."""
        stored: dict[str, Any] = {"units": format(self.units, "f"), "rollover": self.rollover}
        if self.priority != DEFAULT_PRIORITY:
            stored["priority"] = self.priority
        if self.expires_after_days is not None:
            stored["expiresAfterDays"] = self.expires_after_days
        if self.rollover_limit is not None:
            stored["rolloverLimit"] = format(self.rollover_limit, "f")
        if self.per_quantity:
            stored["perQuantity"] = True
        return stored

    @classmethod
    def from_json(cls, meter_id: UUID | None, stored: Mapping[str, Any]) -> Self:
        """Loads the benefit from what `to_json` returned."""
        limit = stored.get("rolloverLimit")
        return cls(
            meter_id,
            Decimal(stored["units"]),
            stored["rollover"],
            stored.get("priority", DEFAULT_PRIORITY),
            stored.get("expiresAfterDays"),
            None if limit is None else Decimal(limit),
            stored.get("perQuantity", False),
        )

    def grant(self, benefit_id: UUID) -> Grant:
        """Returns the credit that it grants at the start of a period."""
        days = self.expires_after_days
        return Grant(
            benefit_id,
            self.units,
            self.units,
            self.rollover,
            self.priority,
            None if days is None else timedelta(days=days),
            self.rollover_limit,
            self.per_quantity,
        )


def benefit_class(kind: BenefitKind) -> type[BenefitDefinition]:
    """Returns the class of a kind of benefit."""
    match kind:
        case BenefitKind.METER_CREDIT:
            return MeterCredit
        case _:
            assert_never(kind)


def stored_benefit(
    kind: str, meter_id: UUID | None, parameters: Mapping[str, Any]
) -> BenefitDefinition:
    """Loads the definition of a benefit from the columns of its row."""
    return benefit_class(BenefitKind(kind)).from_json(meter_id, parameters)


async def check_benefits(
    connection: BaseDBAsyncClient, organization_id: UUID, benefit_ids: Sequence[UUID | None]
) -> tuple[list[Problem], list[UUID]]:
    """Checks the benefits of a product. Returns the problems, and the ids of valid benefits.

    It locks their meters, so nobody can archive them until the transaction ends.
    """
    if len(benefit_ids) > MAXIMUM_BENEFITS:
        message = f"A product can have at most {MAXIMUM_BENEFITS} benefits."
        return [problem("LIMIT_EXCEEDED", message, "benefitIds")], []
    rows = await connection.execute_query_dict(
        "SELECT id, meter_id FROM benefit WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        [organization_id, [one for one in benefit_ids if one is not None]],
    )
    meter_of = {row["id"]: row["meter_id"] for row in rows}
    rows = await connection.execute_query_dict(
        """
        SELECT id FROM meter
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND archived_at IS NULL
        ORDER BY id FOR NO KEY UPDATE
        """,
        [organization_id, [one for one in meter_of.values() if one is not None]],
    )
    live = {None, *(row["id"] for row in rows)}
    found: list[Problem] = []
    kept: list[UUID] = []
    for index, benefit_id in enumerate(benefit_ids):
        path = ("benefitIds", index)
        if benefit_id is None or benefit_id not in meter_of:
            found.append(problem("NOT_FOUND", "There is no benefit with this id.", *path))
        elif meter_of[benefit_id] not in live:
            found.append(problem("INVALID", "The meter of this benefit is archived.", *path))
        elif benefit_id in kept:
            found.append(problem("INVALID", "This benefit is listed twice.", *path))
        else:
            kept.append(benefit_id)
    return found, kept


async def replace_benefits(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    product_id: UUID,
    benefit_ids: Sequence[UUID],
) -> None:
    """Replaces the benefits of a product with these, in this order."""
    await connection.execute_query(
        "DELETE FROM product_benefit WHERE organization_id = $1 AND product_id = $2",
        [organization_id, product_id],
    )
    await connection.execute_query(
        """
        INSERT INTO product_benefit (organization_id, product_id, id, benefit_id, ordinal)
        SELECT $1, $2, included.*
        FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS included
        """,
        [
            organization_id,
            product_id,
            *columns(
                enumerate(benefit_ids),
                lambda _numbered: new_id(),
                lambda numbered: numbered[1],
                lambda numbered: numbered[0],
            ),
        ],
    )


async def hold_new_meters(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    product_id: UUID,
    benefit_ids: Sequence[UUID],
) -> None:
    """Reserves the benefits' meters for each subscription to the product that has not ended.

    The caller has locked the product's row.

    Raises:
        RefusedError: another subscription of one of the customers uses such a meter.
    """
    await connection.execute_query(
        """
        INSERT INTO subscription_meter (organization_id, customer_id, meter_id, subscription_id)
        SELECT $1, subscription.customer_id, benefit.meter_id, subscription.id
        FROM customer_subscription subscription
        CROSS JOIN (
            SELECT DISTINCT meter_id FROM benefit
            WHERE organization_id = $1 AND id = ANY($3::uuid[]) AND meter_id IS NOT NULL
        ) AS benefit
        WHERE subscription.organization_id = $1 AND subscription.status <> 'CANCELED'
          AND (subscription.product_id = $2 OR subscription.pending_product_id = $2)
        ORDER BY subscription.customer_id, benefit.meter_id
        ON CONFLICT (organization_id, customer_id, meter_id) DO NOTHING
        """,
        [organization_id, product_id, list(benefit_ids)],
    )
    rows = await connection.execute_query_dict(
        """
        SELECT benefit.id
        FROM customer_subscription subscription
        CROSS JOIN benefit
        JOIN subscription_meter held
            ON held.organization_id = $1 AND held.customer_id = subscription.customer_id
           AND held.meter_id = benefit.meter_id AND held.subscription_id <> subscription.id
        WHERE subscription.organization_id = $1 AND subscription.status <> 'CANCELED'
          AND (subscription.product_id = $2 OR subscription.pending_product_id = $2)
          AND benefit.organization_id = $1 AND benefit.id = ANY($3::uuid[])
        LIMIT 1
        """,
        [organization_id, product_id, list(benefit_ids)],
    )
    if rows:
        message = "A customer of this product has another subscription with this benefit's meter."
        index = list(benefit_ids).index(rows[0]["id"])
        raise RefusedError(problem("ALREADY_EXISTS", message, "benefitIds", index))
