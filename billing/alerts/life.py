"""The life of a usage alert: created, changed, deleted.

All of it happens under the log's lock, so every count comes before the change or after it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.numbers import amount_problems, decimal_problems, units_problems
from metering.alerts.deciding import decide_alert
from metering.alerts.kinds import PERCENT_DECIMALS, UsageAlertKind
from metering.counting.log import lock_log, next_revision
from metering.problems import Problem, RefusedError, problem, refuse_any
from metering.texts import NAME, given_name_problems, name_problems
from models import ALL_CUSTOMERS, AlertTrigger, Meter, UsageAlert
from models.changes import store_changes

MOST_OF_ALL_CUSTOMERS = 100
"""Alerts of each customer on one meter. Counting compares every customer's usage with them."""

MOST_OF_ONE_CUSTOMER = 20


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """A new alert. `customer_id` is None for each customer, `currency` for each currency."""

    name: str
    kind: UsageAlertKind
    threshold: Decimal
    meter_id: UUID | None
    customer_id: UUID | None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class AlertChanges:
    """The changes to an alert. None leaves a field unchanged."""

    name: str | None = None
    threshold: Decimal | None = None
    is_enabled: bool | None = None


async def create_alert(organization_id: UUID, draft: AlertDraft, *mistakes: Problem) -> UsageAlert:
    """Creates an alert. It triggers at once for customers who have reached it.

    `mistakes` are problems that the caller has found already.

    Raises:
        RefusedError: with `mistakes`, and what else is wrong with the alert.
    """
    async with _changing(organization_id) as (connection, revision):
        refuse_any(
            [
                *mistakes,
                *name_problems(draft.name, NAME, "name"),
                *threshold_problems(draft.kind, draft.threshold),
                *_currency_problems(draft),
                *await _meter_problems(connection, organization_id, draft),
            ]
        )
        await _check_number(connection, organization_id, draft)
        alert = await UsageAlert.create(
            organization_id=organization_id,
            name=draft.name,
            kind=draft.kind.value,
            threshold=draft.threshold,
            currency=draft.currency,
            meter_id=draft.meter_id,
            customer_id=draft.customer_id or ALL_CUSTOMERS,
            decided=-revision,
            using_db=connection,
        )
        await _decide(connection, revision, alert)
        return alert


async def update_alert(organization_id: UUID, alert_id: UUID, changes: AlertChanges) -> UsageAlert:
    """Changes an alert. It triggers at once for customers who have reached it now.

    It does not trigger again for those for whom it has triggered in their period.
    """
    async with _changing(organization_id) as (connection, revision):
        alert = await _locked_alert(connection, organization_id, alert_id)
        problems = given_name_problems(("name", changes.name, NAME))
        if changes.threshold is not None:
            problems += threshold_problems(UsageAlertKind(alert.kind), changes.threshold)
        refuse_any(problems)
        alert.name = alert.name if changes.name is None else changes.name
        alert.threshold = alert.threshold if changes.threshold is None else changes.threshold
        alert.is_enabled = alert.is_enabled if changes.is_enabled is None else changes.is_enabled
        alert.decided = -revision
        await store_changes(alert, connection, "name", "threshold", "is_enabled", "decided")
        await _decide(connection, revision, alert)
        return alert


async def delete_alert(organization_id: UUID, alert_id: UUID) -> None:
    """Deletes an alert and its triggers."""
    async with _changing(organization_id) as (connection, _revision):
        await _locked_alert(connection, organization_id, alert_id)
        of_alert = AlertTrigger.filter(organization_id=organization_id, alert_id=alert_id)
        await of_alert.using_db(connection).delete()
        this = UsageAlert.filter(organization_id=organization_id, id=alert_id)
        await this.using_db(connection).delete()


@asynccontextmanager
async def _changing(organization_id: UUID) -> AsyncIterator[tuple[BaseDBAsyncClient, int]]:
    """A transaction that holds the log, and the revision of what it triggers."""
    async with in_transaction() as connection:
        await lock_log(connection, organization_id)
        yield connection, await next_revision(connection, organization_id)


async def _decide(connection: BaseDBAsyncClient, revision: int, alert: UsageAlert) -> None:
    """Decides now; about an estimate, a worker does (`billing.alerts.estimated`)."""
    if UsageAlertKind(alert.kind).has_meter:
        await decide_alert(connection, revision, alert)


def threshold_problems(kind: UsageAlertKind, threshold: Decimal) -> Iterator[Problem]:
    """Yields what is wrong with the threshold of an alert of this kind."""
    if kind is UsageAlertKind.CREDIT_BALANCE:
        yield from decimal_problems(threshold, "threshold")
        return
    if kind is UsageAlertKind.ESTIMATED_AMOUNT:
        yield from _amount_problems(threshold)
        return
    yield from units_problems(threshold, "threshold")
    if kind is UsageAlertKind.CREDIT_USED_PERCENT and threshold != round(
        threshold, PERCENT_DECIMALS
    ):
        message = f"A percentage may have at most {PERCENT_DECIMALS} decimals."
        yield problem("INVALID", message, "threshold")


def _amount_problems(threshold: Decimal) -> Iterator[Problem]:
    if threshold <= 0 or Fraction(threshold).denominator > 1:
        message = "An amount is a whole number of minor units above zero."
        yield problem("INVALID", message, "threshold")
    else:
        yield from amount_problems(threshold, "threshold")


def _currency_problems(draft: AlertDraft) -> Iterator[Problem]:
    if draft.currency is not None and draft.kind is not UsageAlertKind.ESTIMATED_AMOUNT:
        yield problem("INVALID", f"{draft.kind} is not an amount.", "currency")


async def _meter_problems(
    connection: BaseDBAsyncClient, organization_id: UUID, draft: AlertDraft
) -> list[Problem]:
    if not draft.kind.has_meter:
        message = f"{draft.kind} is of all meters together."
        return [] if draft.meter_id is None else [problem("INVALID", message, "meterId")]
    if draft.meter_id is None:
        return [problem("INVALID", f"{draft.kind} needs a meter.", "meterId")]
    meter = (
        await Meter.filter(organization_id=organization_id, id=draft.meter_id)
        .using_db(connection)
        .first()
    )
    if meter is None:
        return [problem("NOT_FOUND", "There is no meter with this id.", "meterId")]
    if meter.archived_at is not None:
        return [problem("INVALID", "This meter is archived, so it does not count.", "meterId")]
    return []


async def _check_number(
    connection: BaseDBAsyncClient, organization_id: UUID, draft: AlertDraft
) -> None:
    """Refuses one alert more than the limit: each count is compared with all of them."""
    number = (
        await UsageAlert.filter(
            organization_id=organization_id,
            meter_id=draft.meter_id,
            customer_id=draft.customer_id or ALL_CUSTOMERS,
        )
        .using_db(connection)
        .count()
    )
    most = MOST_OF_ONE_CUSTOMER if draft.customer_id else MOST_OF_ALL_CUSTOMERS
    if number >= most:
        of = "of one customer" if draft.customer_id else "of all customers"
        where = "A meter can have" if draft.meter_id else "There can be"
        message = f"{where} at most {most} alerts {of}."
        raise RefusedError(problem("LIMIT_EXCEEDED", message))


async def _locked_alert(
    connection: BaseDBAsyncClient, organization_id: UUID, alert_id: UUID
) -> UsageAlert:
    alert = (
        await UsageAlert.filter(organization_id=organization_id, id=alert_id)
        .using_db(connection)
        .first()
    )
    if alert is None:
        raise RefusedError(problem("NOT_FOUND", "There is no alert with this id.", "id"))
    return alert
