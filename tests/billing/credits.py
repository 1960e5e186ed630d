"""What tests do with credit."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.periods.current_credit import current_credit
from billing.periods.grants import DEFAULT_PRIORITY
from billing.subscriptions.manual_credit import CreditDraft, credit_by_hand, void_grant
from config import clock
from models import CreditGrant, Customer, Meter
from tests.billing.catalog import Catalog


def instant(text: str) -> datetime:
    """2026-03-01 or 2026-03-01T12:00, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Credits(Catalog):
    """Credit of customers on meters of one organization."""

    async def credit(
        self,
        customer: Customer,
        meter: Meter,
        units: int,
        at: str,
        *,
        begins: str | None = None,
        ends: str | None = None,
        priority: int = DEFAULT_PRIORITY,
    ) -> None:
        draft = CreditDraft(
            Decimal(units),
            "goodwill",
            None if begins is None else instant(begins),
            None if ends is None else instant(ends),
            priority,
        )
        with clock.at(instant(at)):
            await credit_by_hand(self.id, customer.id, meter.id, draft)

    async def void_grant(self, grant_id: UUID, at: str) -> None:
        with clock.at(instant(at)):
            await void_grant(self.id, grant_id, "a mistake")

    async def remaining(self, customer: Customer, meter: Meter, at: str) -> list[Any]:
        """What is left of each grant, oldest first."""
        key = (customer.id, meter.id)
        found = await current_credit(self.database, self.id, [key], instant(at))
        grants = await CreditGrant.filter(
            organization_id=self.id, customer_id=customer.id, meter_id=meter.id
        ).order_by("id")
        return [found[key].remaining.get(grant.id, Decimal(0)) for grant in grants]

    async def ledger(self, customer: Customer, meter: Meter) -> list[tuple[str, Any]]:
        rows = await self.query(
            """
            SELECT kind, units FROM credit_entry
            WHERE organization_id = $1 AND customer_id = $2 AND meter_id = $3 ORDER BY id
            """,
            customer.id,
            meter.id,
        )
        return [(row["kind"], row["units"]) for row in rows]

    async def balance(self, customer: Customer, meter: Meter) -> tuple[Any, Any]:
        """Consumed and credited units of the current period."""
        rows = await self.query(
            """
            SELECT consumed, credited FROM customer_meter
            WHERE organization_id = $1 AND customer_id = $2 AND meter_id = $3
            """,
            customer.id,
            meter.id,
        )
        return rows[0]["consumed"], rows[0]["credited"]

    async def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a statement whose $1 is the organization."""
        return await self.database.execute_query_dict(sql, [self.id, *values])
