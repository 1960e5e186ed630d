"""Sets and removes the discount of a subscription."""

from uuid import UUID

from billing.rating.discounts import Discount
from billing.subscriptions.cycle import edit
from billing.subscriptions.life import locked_subscription, subscription_row
from billing.subscriptions.renewal import Touched
from billing.subscriptions.renewals import stored_discount
from billing.transaction import STAMPED
from metering.live.outbox import OutboxType
from metering.problems import problem, refuse_any
from models import CustomerSubscription

MOST_PERIODS = 1_000


async def set_discount(
    organization_id: UUID, subscription_id: UUID, discount: Discount | None, periods: int | None
) -> CustomerSubscription:
    """Gives a subscription a discount, in place of the one that it has, or removes that.

    Args:
        organization_id: the organization.
        subscription_id: the subscription.
        discount: what is taken off its invoices; None to remove the discount.
        periods: for how many periods, of which the current one is the first; None: for all.

    Raises:
        RefusedError: there is no such subscription, it has ended, or a value is invalid.
    """
    problems = [] if discount is None else list(discount.problems())
    if periods is not None and discount is None:
        problems.append(problem("INVALID", "Give percentOff or amountOff too.", "periods"))
    elif periods is not None and not 1 <= periods <= MOST_PERIODS:
        message = f"periods must be from 1 to {MOST_PERIODS:,}."
        problems.append(problem("INVALID", message, "periods"))
    refuse_any(problems)
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        one = await locked_subscription(transaction, subscription_id)
        await transaction.run(
            f"""
            UPDATE customer_subscription
            SET discount = $3::jsonb, discount_periods = $4, {STAMPED}
            WHERE organization_id = $1 AND id = $2
            """,
            one.id,
            stored_discount(discount),
            periods,
        )
        await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, one.id)
        return await subscription_row(transaction, one.id)
