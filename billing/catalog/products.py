"""Creates and changes products and benefits. A refusal names the path of each problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.catalog.benefits import (
    check_benefits,
    hold_new_meters,
    replace_benefits,
)
from billing.catalog.price_meters import price_meter_problems
from billing.catalog.prices import PriceDraft, check_prices, minimum_problems
from billing.periods.intervals import (
    BillingPeriods,
    Recurrence,
    RecurringInterval,
    most_within,
)
from billing.subscriptions.cycle import edit
from billing.subscriptions.live_subscriptions import LONGEST_TRIAL_DAYS
from billing.subscriptions.renewal import Touched
from config.clock import now
from metering.counting.log import lock_log
from metering.problems import Problem, RefusedError, problem
from metering.texts import DESCRIPTION, NAME, name_problems, text_fault
from models import Meter, Product, ProductPrice
from models.changes import store_changes

_MOST_INTERVALS = {
    RecurringInterval.DAY: 366,
    RecurringInterval.WEEK: 52,
    RecurringInterval.MONTH: 60,
    RecurringInterval.YEAR: 5,
}
# The preview of a change at the end of a period goes through all of them.
_MOST_USAGE_PERIODS = 60


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product to be created. A benefit id is None if the id in the input names no benefit."""

    name: str
    description: str | None
    recurring_interval: RecurringInterval
    prices: Sequence[PriceDraft]
    benefit_ids: Sequence[UUID | None] = ()
    trial_days: int | None = None
    interval_count: int = 1
    billing_periods: BillingPeriods = BillingPeriods.FROM_START
    usage_interval: RecurringInterval | None = None
    minimum_amount: int | None = None


async def create_product(organization_id: UUID, draft: ProductDraft) -> Product:
    """Creates a product with its prices and benefits.

    Raises:
        RefusedError: names every problem.
    """
    async with in_transaction() as connection:
        # The lock keeps its meters from being archived meanwhile.
        await lock_log(connection, organization_id)
        problems = [
            *name_problems(draft.name, NAME, "name"),
            *_description_problems(draft.description),
            *check_prices(draft.prices),
            *_trial_problems(draft.trial_days),
            *minimum_problems(draft.minimum_amount, draft.prices),
            *(_recurrence_problems(draft) or _usage_interval_problems(draft)),
            *await price_meter_problems(connection, organization_id, draft.prices),
        ]
        found, benefit_ids = await check_benefits(connection, organization_id, draft.benefit_ids)
        if problems or found:
            raise RefusedError(*problems, *found)
        product = await Product.create(
            organization_id=organization_id,
            name=draft.name,
            description=draft.description,
            recurring_interval=draft.recurring_interval.value,
            currency=draft.prices[0].currency,
            trial_days=draft.trial_days,
            interval_count=draft.interval_count,
            billing_periods=draft.billing_periods.value,
            usage_interval=None if draft.usage_interval is None else draft.usage_interval.value,
            minimum_amount=draft.minimum_amount,
            created_at=now(),
            using_db=connection,
        )
        await ProductPrice.bulk_create(
            (
                ProductPrice(
                    organization_id=organization_id,
                    product_id=product.id,
                    ordinal=ordinal,
                    **price.columns(),
                )
                for ordinal, price in enumerate(draft.prices)
            ),
            using_db=connection,
        )
        await replace_benefits(connection, organization_id, product.id, benefit_ids)
        return product


@dataclass(frozen=True, slots=True)
class ProductChanges:
    """Changes to a product. A field that is None stays as it is."""

    name: str | None = None
    sets_description: bool = False
    description: str | None = None
    benefit_ids: Sequence[UUID | None] | None = None


async def update_product(
    organization_id: UUID, product_id: UUID, changes: ProductChanges
) -> Product:
    """Changes a product. Subscriptions get its new benefits from their next period on.

    Raises:
        RefusedError: there is no such product, or a change is invalid.
    """
    async with edit(organization_id, Touched("product_id", product_id)) as transaction:
        connection = transaction.connection
        product = await _locked_product(connection, organization_id, product_id)
        problems: list[Problem] = []
        if changes.name is not None:
            problems += name_problems(changes.name, NAME, "name")
            product.name = changes.name
        if changes.sets_description:
            problems += _description_problems(changes.description)
            product.description = changes.description
        benefit_ids: list[UUID] = []
        if changes.benefit_ids is not None:
            found, benefit_ids = await check_benefits(
                connection, organization_id, changes.benefit_ids
            )
            problems += found
        if problems:
            raise RefusedError(*problems)
        await store_changes(product, connection, "name", "description")
        if changes.benefit_ids is not None:
            await hold_new_meters(connection, organization_id, product_id, benefit_ids)
            await replace_benefits(connection, organization_id, product_id, benefit_ids)
        return product


async def archive_product(organization_id: UUID, product_id: UUID) -> Product:
    """Takes a product off sale. Its subscriptions continue.

    Raises:
        RefusedError: there is no such product.
    """
    async with in_transaction() as connection:
        product = await _locked_product(connection, organization_id, product_id)
        if product.archived_at is None:
            product.archived_at = now()
            await store_changes(product, connection, "archived_at")
        return product


def _description_problems(description: str | None) -> list[Problem]:
    """Returns what is wrong with a description, which may be left out or empty."""
    fault = text_fault(description or "", DESCRIPTION, minimum=0)
    return [] if fault is None else [problem(fault[0], f"description {fault[1]}", "description")]


def _trial_problems(days: int | None) -> list[Problem]:
    if days is None or 1 <= days <= LONGEST_TRIAL_DAYS:
        return []
    message = f"trialDays must be from 1 to {LONGEST_TRIAL_DAYS}."
    return [problem("INVALID", message, "trialDays")]


def _recurrence_problems(draft: ProductDraft) -> list[Problem]:
    interval, count = draft.recurring_interval, draft.interval_count
    if not 1 <= count <= _MOST_INTERVALS[interval]:
        message = f"intervalCount must be from 1 to {_MOST_INTERVALS[interval]} for {interval}."
        return [problem("INVALID", message, "intervalCount")]
    if draft.billing_periods is BillingPeriods.FROM_START:
        return []
    if interval is RecurringInterval.DAY:
        message = "Calendar periods are weeks, months or years."
        return [problem("INVALID", message, "billingPeriods")]
    if interval is RecurringInterval.MONTH and 12 % count:  # months of a year
        message = "A calendar period of months divides a year: 1, 2, 3, 4, 6 or 12 months."
        return [problem("INVALID", message, "intervalCount")]
    if interval is not RecurringInterval.MONTH and count > 1:
        message = f"A calendar period is one {interval.lower()}, or several months."
        return [problem("INVALID", message, "intervalCount")]
    return []


def _usage_interval_problems(draft: ProductDraft) -> list[Problem]:
    usage = draft.usage_interval
    if usage is None:
        return []
    period = Recurrence(draft.recurring_interval, draft.interval_count)
    count = most_within(Recurrence(usage), period)
    if count == 0:
        message = f"A period of {period.count} {period.interval} cannot be divided by {usage}."
        return [problem("INVALID", message, "usageInterval")]
    if count > _MOST_USAGE_PERIODS:
        message = (
            f"A period has at most {_MOST_USAGE_PERIODS} usage periods, but these are {count}."
        )
        return [problem("LIMIT_EXCEEDED", message, "usageInterval")]
    if draft.billing_periods is BillingPeriods.CALENDAR and usage is RecurringInterval.DAY:
        message = "Usage of calendar periods goes by weeks, months or years."
        return [problem("INVALID", message, "usageInterval")]
    return []


async def _locked_product(
    connection: BaseDBAsyncClient, organization_id: UUID, product_id: UUID
) -> Product:
    product = (
        await Product.filter(organization_id=organization_id, id=product_id)
        .using_db(connection)
        .select_for_update()
        .first()
    )
    if product is None:
        raise RefusedError(problem("NOT_FOUND", "There is no product with this id.", "id"))
    return product


async def _live_meters(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_ids: Sequence[UUID | None]
) -> dict[UUID, bool]:
    """Returns which of these meters are live. Holding the log keeps that so."""
    rows = (
        await Meter.filter(
            organization_id=organization_id, id__in=[one for one in meter_ids if one is not None]
        )
        .using_db(connection)
        .values_list("id", "archived_at")
    )
    return {meter_id: archived_at is None for meter_id, archived_at in rows}
