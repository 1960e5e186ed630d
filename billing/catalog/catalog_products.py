"""Loads the prices and grants of many products at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.benefits import stored_benefit
from billing.catalog.prices import metered_price
from billing.periods.intervals import BillingPeriods, Recurrence, RecurringInterval
from billing.periods.metered_periods import Grant
from billing.rating.lines import FixedPrice, MeteredPrice
from metering.usage.windows import zone_of
from models import exact_json


@dataclass(frozen=True, slots=True)
class CatalogProduct:
    """What a subscription needs of its product. `metered` and `grants` are by meter.

    `fixed` prices go by `interval`. Metered prices, grants and `minimum_amount`, the least that the
    usage costs, go by `usage_interval`, which divides it.
    """

    id: UUID
    name: str
    currency: str
    interval: Recurrence
    usage_interval: Recurrence
    trial_days: int | None
    minimum_amount: int | None
    fixed: list[FixedPrice] = field(default_factory=list)
    metered: dict[UUID, MeteredPrice] = field(default_factory=dict)
    grants: dict[UUID, list[Grant]] = field(default_factory=dict)

    @property
    def meter_ids(self) -> list[UUID]:
        """The meters that the product prices or credits, each once."""
        return list(dict.fromkeys([*self.metered, *self.grants]))


def recurrence_of(row: Mapping[str, Any]) -> Recurrence:
    """Returns how periods follow each other, from a product's columns and the `timezone`."""
    is_calendar = BillingPeriods(row["billing_periods"]) is BillingPeriods.CALENDAR
    return Recurrence(
        RecurringInterval(row["recurring_interval"]),
        row["interval_count"],
        zone_of(row["timezone"]) if is_calendar else None,
    )


def usage_recurrence(every: Recurrence, usage_interval: str | None) -> Recurrence:
    """Returns how usage periods follow each other in periods of a product.

    By default, a period is one usage period.
    """
    if usage_interval is None:
        return every
    return replace(every, interval=RecurringInterval(usage_interval), count=1)


async def catalog_products(
    connection: BaseDBAsyncClient, organization_id: UUID, product_ids: Iterable[UUID]
) -> dict[UUID, CatalogProduct]:
    """Loads products, by id."""
    ids = list(set(product_ids))
    found: dict[UUID, CatalogProduct] = {}
    priced = await connection.execute_query_dict(
        """
        SELECT product.id AS of_product, product.name AS product_name,
               product.currency AS product_currency, product.recurring_interval,
               product.interval_count, product.billing_periods, product.usage_interval,
               product.trial_days, product.minimum_amount AS product_minimum,
               organization.timezone, price.*
        FROM product
        JOIN organization ON organization.id = product.organization_id
        LEFT JOIN product_price price
            ON price.organization_id = $1 AND price.product_id = product.id
        WHERE product.organization_id = $1 AND product.id = ANY($2::uuid[])
        ORDER BY product.id, price.ordinal
        """,
        [organization_id, ids],
    )
    for row in priced:
        every = recurrence_of(row)
        product = found.setdefault(
            row["of_product"],
            CatalogProduct(
                row["of_product"],
                row["product_name"],
                row["product_currency"],
                every,
                usage_recurrence(every, row["usage_interval"]),
                row["trial_days"],
                row["product_minimum"],
            ),
        )
        match row["kind"]:
            case "FIXED":
                product.fixed.append(FixedPrice(row["id"], row["amount"]))
            case "METERED":
                product.metered[row["meter_id"]] = metered_price(row)
    benefits = await connection.execute_query_dict(
        """
        SELECT product_benefit.product_id, benefit.*
        FROM product_benefit
        JOIN benefit ON benefit.organization_id = $1 AND benefit.id = product_benefit.benefit_id
        WHERE product_benefit.organization_id = $1
          AND product_benefit.product_id = ANY($2::uuid[])
        ORDER BY product_benefit.product_id, product_benefit.ordinal
        """,
        [organization_id, ids],
    )
    for row in benefits:
        parameters = exact_json.loads(row["parameters"])
        grant = stored_benefit(row["kind"], row["meter_id"], parameters).grant(row["id"])
        if grant is not None:
            found[row["product_id"]].grants.setdefault(row["meter_id"], []).append(grant)
    return found
