"""Loads open periods, with the current usage that `customer_meter` keeps of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.periods.metered_periods import MeteredPeriod
from billing.periods.store import PERIOD_COLUMNS, metered_period_of

PeriodKey = tuple[UUID, UUID]
"""A customer and a meter."""


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """An open period, and the current usage that `customer_meter` keeps."""

    period: MeteredPeriod
    kept_start: datetime | None
    kept_end: datetime | None
    kept_consumed: Decimal

    def kept_until(self, end: datetime | None) -> bool:
        """Whether the kept usage is that of the period if it ends at `end`."""
        return self.kept_start == self.period.start and self.kept_end == end


# LATERAL reads each period by its index. A join may read all open periods of the organization.
_OPEN_PERIODS = f"""
    SELECT {PERIOD_COLUMNS}, kept.period_start, kept.period_end, kept.consumed AS kept_consumed
    FROM unnest($2::uuid[], $3::uuid[]) AS asked (customer_id, meter_id)
    CROSS JOIN LATERAL (
        SELECT * FROM metered_period
        WHERE organization_id = $1 AND closed_at IS NULL
          AND customer_id = asked.customer_id AND meter_id = asked.meter_id
        LIMIT 1
    ) AS period
    CROSS JOIN LATERAL (
        SELECT * FROM customer_meter
        WHERE organization_id = $1
          AND meter_id = asked.meter_id AND customer_id = asked.customer_id
        LIMIT 1
    ) AS kept
"""


async def open_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, keys: Sequence[PeriodKey]
) -> dict[PeriodKey, OpenPeriod]:
    """Loads the open periods of these customers on these meters, if there are any."""
    rows = await connection.execute_query_dict(
        _OPEN_PERIODS, [organization_id, [key[0] for key in keys], [key[1] for key in keys]]
    )
    return {
        (row["customer_id"], row["meter_id"]): OpenPeriod(
            metered_period_of(row), row["period_start"], row["period_end"], row["kept_consumed"]
        )
        for row in rows
    }
