"""Reads whether a customer may use more on a meter, in one indexed statement.

It stands before every request of an application, so it takes no lock and reserves nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from billing.periods.current_credit import SNAPSHOT, current_credit
from config.clock import now

# Each table is read by its key, or by an index whose rows are few. A subscription that is about to
# start or end does so when its time has come, and not when a worker has stored it.
_CHECK = """
SELECT customer.id AS customer_id, meter.id AS meter_id,
       meter.archived_at IS NOT NULL AS is_archived,
       coalesce(meter.position, log.head, 0) AS position,
       coalesce(used.credited - used.consumed, 0) AS balance,
       coalesce(used.credit_until <= $4, false) AS is_outdated,
       EXISTS (
           SELECT FROM subscription_meter held
           JOIN customer_subscription subscription
             ON subscription.organization_id = $1 AND subscription.id = held.subscription_id
           JOIN product_price price
             ON price.organization_id = $1 AND price.product_id = subscription.product_id
            AND price.meter_id = held.meter_id
           WHERE held.organization_id = $1 AND held.customer_id = customer.id
             AND held.meter_id = meter.id AND subscription.status <> 'CANCELED'
             AND subscription.started_at <= $4
             AND (subscription.current_period_end > $4 OR NOT subscription.cancel_at_period_end)
       ) AS has_metered_price
FROM (VALUES ($1::uuid)) AS organization (id)
LEFT JOIN customer ON customer.organization_id = $1 AND customer.{key} = $2
LEFT JOIN meter ON meter.organization_id = $1 AND meter.id = $3
LEFT JOIN event_log log ON log.organization_id = $1
LEFT JOIN customer_meter used
  ON used.organization_id = $1 AND used.meter_id = meter.id AND used.customer_id = customer.id
"""


@dataclass(frozen=True, slots=True)
class UsageCheck:
    """What a customer may use on a meter, as counted up to a position of the log.

    `customer_id` or `meter_id` is None if the organization has no such customer or meter.
    """

    customer_id: UUID | None
    meter_id: UUID | None
    is_archived: bool
    position: int
    balance: Decimal
    has_metered_price: bool

    def allows(self, units: Decimal) -> bool:
        """Whether credit of so many units remains, or a price charges for what credit does not pay.

        An archived meter counts nothing, so it allows nothing.
        """
        return not self.is_archived and (self.has_metered_price or self.balance >= units)


async def check_usage(
    organization_id: UUID,
    meter_id: UUID,
    key: Literal["id", "external_id"],
    customer: UUID | str,
) -> UsageCheck:
    """Checks the usage of the customer with this `id` or `external_id` on a meter."""
    at = now()
    [row] = await get_connection("default").execute_query_dict(
        _CHECK.format(key=key), [organization_id, customer, meter_id, at]
    )
    # For the moment until the cycle notices that a grant has begun or ended.
    if row.pop("is_outdated"):
        owner = (row["customer_id"], row["meter_id"])
        async with in_transaction() as connection:
            await connection.execute_query(SNAPSHOT)
            found = await current_credit(connection, organization_id, [owner], at)
        row["balance"] = found[owner].balance
    return UsageCheck(**row)
