"""Which benefits a product brings, and the meters that its subscriptions hold for them."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.rows import columns
from metering.problems import Problem, RefusedError, problem
from models.identifiers import new_id

MAXIMUM_BENEFITS = 100


async def check_benefits(
    connection: BaseDBAsyncClient, organization_id: UUID, benefit_ids: Sequence[UUID | None]
) -> tuple[list[Problem], list[UUID]]:
    """What is wrong with the benefits that a product is to bring, and those that there are.

    Their meters cannot be archived until the transaction ends.
    """
    if len(benefit_ids) > MAXIMUM_BENEFITS:
        message = f"A product has at most {MAXIMUM_BENEFITS} benefits."
        return [problem("LIMIT_EXCEEDED", message, "benefitIds")], []
    rows = await connection.execute_query_dict(
        """
        SELECT benefit.id, meter.archived_at
        FROM meter_credit_benefit benefit JOIN meter ON meter.id = benefit.meter_id
        WHERE benefit.organization_id = $1 AND benefit.id = ANY($2::uuid[])
        ORDER BY meter.id
        FOR NO KEY UPDATE OF meter
        """,
        [organization_id, [one for one in benefit_ids if one is not None]],
    )
    archived = {row["id"]: row["archived_at"] is not None for row in rows}
    found: list[Problem] = []
    kept: list[UUID] = []
    for index, benefit_id in enumerate(benefit_ids):
        path = ("benefitIds", index)
        if benefit_id is None or benefit_id not in archived:
            found.append(problem("NOT_FOUND", "There is no benefit with this id.", *path))
        elif archived[benefit_id]:
            found.append(problem("INVALID", "The meter of this benefit is archived.", *path))
        elif benefit_id in kept:
            found.append(problem("INVALID", "This benefit is named twice.", *path))
        else:
            kept.append(benefit_id)
    return found, kept


async def replace_benefits(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    product_id: UUID,
    benefit_ids: Sequence[UUID],
) -> None:
    """Makes these the benefits of a product, in this order."""
    await connection.execute_query(
        "DELETE FROM product_benefit WHERE organization_id = $1 AND product_id = $2",
        [organization_id, product_id],
    )
    await connection.execute_query(
        """
        INSERT INTO product_benefit (organization_id, product_id, id, benefit_id, ordinal)
        SELECT $1, $2, brought.*
        FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS brought
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
    """Holds the benefits' meters for every live subscription to the product, whose row is locked.

    Raises:
        RefusedError: another subscription of one of the customers holds such a meter.
    """
    await connection.execute_query(
        """
        INSERT INTO subscription_meter (organization_id, customer_id, meter_id, subscription_id)
        SELECT $1, subscription.customer_id, benefit.meter_id, subscription.id
        FROM customer_subscription subscription
        CROSS JOIN (
            SELECT DISTINCT meter_id FROM meter_credit_benefit
            WHERE organization_id = $1 AND id = ANY($3::uuid[])
        ) AS benefit
        WHERE subscription.organization_id = $1 AND subscription.product_id = $2
          AND subscription.status = 'ACTIVE'
        ORDER BY subscription.customer_id, benefit.meter_id
        ON CONFLICT (organization_id, customer_id, meter_id) DO NOTHING
        """,
        [organization_id, product_id, list(benefit_ids)],
    )
    rows = await connection.execute_query_dict(
        """
        SELECT benefit.id
        FROM customer_subscription subscription
        CROSS JOIN meter_credit_benefit benefit
        JOIN subscription_meter held
            ON held.organization_id = $1 AND held.customer_id = subscription.customer_id
           AND held.meter_id = benefit.meter_id AND held.subscription_id <> subscription.id
        WHERE subscription.organization_id = $1 AND subscription.product_id = $2
          AND subscription.status = 'ACTIVE'
          AND benefit.organization_id = $1 AND benefit.id = ANY($3::uuid[])
        LIMIT 1
        """,
        [organization_id, product_id, list(benefit_ids)],
    )
    if rows:
        message = "A customer of this product has another subscription with this benefit's meter."
        index = list(benefit_ids).index(rows[0]["id"])
        raise RefusedError(problem("ALREADY_EXISTS", message, "benefitIds", index))
