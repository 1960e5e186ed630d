"""Starts simulations. A refusal names the path of each problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.catalog.benefits import MAXIMUM_BENEFITS, MeterCredit
from billing.catalog.new_benefits import definition_problems
from billing.catalog.price_meters import price_meter_problems
from billing.catalog.prices import (
    FixedDraft,
    PriceDraft,
    check_prices,
    minimum_problems,
)
from billing.periods.intervals import Period, RecurringInterval
from billing.simulations.simulation import (
    MOST_CYCLES,
    SimulationStatus,
    stored_benefits,
    stored_prices,
    whole_cycles,
)
from config.clock import now
from metering.archive.boundary import events_from
from metering.counting.log import lock_log
from metering.language.instants import format_instant
from metering.problems import Problem, problem, refuse_any
from metering.texts import NAME, name_problems
from metering.usage.windows import BUCKET_MINUTES, HOUR_MINUTES, RangeError, bucket_of, check_range
from models import PriceSimulation, Product

MOST_RUNNING = 2
"""So many simulations of an organization run at once."""

MOST_KEPT = 20
"""So many simulations of an organization are kept, for KEPT_DAYS."""

KEPT_DAYS = 30

# So many lines of a customer, so that its result stays a row that is read at once.
_MOST_LINES = 5_000


@dataclass(frozen=True, slots=True)
class SimulationDraft:
    """A simulation to be started. A meter's id is None if the id in the input names no meter."""

    name: str | None
    prices: Sequence[PriceDraft]
    benefits: Sequence[MeterCredit]
    product_id: UUID | None
    start: datetime
    end: datetime
    recurring_interval: RecurringInterval = RecurringInterval.MONTH
    minimum_amount: int | None = None


async def start_simulation(organization_id: UUID, draft: SimulationDraft) -> PriceSimulation:
    """Stores a simulation, which a worker carries out.

    Raises:
        RefusedError: names every problem.
    """
    async with in_transaction() as connection:
        # The lock gives the position, keeps meters from being archived, and counts who runs.
        log = await lock_log(connection, organization_id)
        problems = [
            *([] if draft.name is None else name_problems(draft.name, NAME, "name")),
            *check_prices(draft.prices),
            *minimum_problems(draft.minimum_amount, draft.prices),
            *await price_meter_problems(connection, organization_id, draft.prices),
            *await _benefit_problems(connection, organization_id, draft.benefits),
            *await _product_problems(connection, organization_id, draft),
        ]
        in_range = _range_problems(draft) or await _archive_problems(connection, draft)
        refuse_any([*problems, *in_range] or await _running_problems(connection, organization_id))
        await _keep_newest(connection, organization_id)
        at = now()
        return await PriceSimulation.create(
            organization_id=organization_id,
            name=draft.name,
            status=SimulationStatus.RUNNING.value,
            product_id=draft.product_id,
            currency=draft.prices[0].currency,
            starts_at=draft.start,
            ends_at=draft.end,
            recurring_interval=draft.recurring_interval.value,
            minimum_amount=draft.minimum_amount,
            prices=stored_prices(draft.prices),
            benefits=stored_benefits(draft.benefits),
            position=log.head,
            created_at=at,
            expires_at=at + timedelta(days=KEPT_DAYS),
            using_db=connection,
        )


async def _benefit_problems(
    connection: BaseDBAsyncClient, organization_id: UUID, benefits: Sequence[MeterCredit]
) -> list[Problem]:
    if len(benefits) > MAXIMUM_BENEFITS:
        message = f"There can be at most {MAXIMUM_BENEFITS} benefits."
        return [problem("LIMIT_EXCEEDED", message, "benefits")]
    return [
        found.below("benefits", index)
        for index, benefit in enumerate(benefits)
        for found in await definition_problems(connection, organization_id, benefit)
    ]


async def _product_problems(
    connection: BaseDBAsyncClient, organization_id: UUID, draft: SimulationDraft
) -> list[Problem]:
    if draft.product_id is None:
        is_fixed = bool(draft.prices) and all(isinstance(one, FixedDraft) for one in draft.prices)
        if not is_fixed or draft.benefits:
            return []
        message = (
            "Fixed prices alone name no customers: give the productId whose subscribers pay them."
        )
        return [problem("INVALID", message, "productId")]
    found = await Product.filter(organization_id=organization_id, id=draft.product_id).using_db(
        connection
    )
    if found:
        return []
    return [problem("NOT_FOUND", "There is no product with this id.", "productId")]


def _range_problems(draft: SimulationDraft) -> list[Problem]:
    try:
        check_range(draft.start, draft.end)
        cycles = whole_cycles(draft.start, draft.end, draft.recurring_interval)
    except RangeError as error:
        return [problem("INVALID", str(error), error.argument)]
    except OverflowError:
        return [problem("INVALID", "start is out of range.", "start")]
    fault = _fault_of_end(draft, cycles)
    if fault is not None:
        return [problem("INVALID", fault, "end")]
    if len(cycles) > MOST_CYCLES:
        interval = draft.recurring_interval.value
        message = f"The range has more than {MOST_CYCLES} cycles of one {interval}."
        return [problem("LIMIT_EXCEEDED", message, "end")]
    lines = len(cycles) * sum(_lines_of(price) for price in draft.prices)
    if lines > _MOST_LINES:
        message = (
            f"{len(cycles):,} cycles would have up to {lines:,} lines a customer, of at most "
            f"{_MOST_LINES:,}: choose a shorter range, or fewer prices and rates."
        )
        return [problem("LIMIT_EXCEEDED", message, "prices")]
    return []


def _fault_of_end(draft: SimulationDraft, cycles: Sequence[Period]) -> str | None:
    if not cycles:
        return "end must be after start."
    if draft.end > now():
        return "end must not be in the future, because only usage of the past is known."
    last = cycles[-1]
    if last.end == draft.end or len(cycles) > MOST_CYCLES:
        return None
    ends = [last.start, last.end] if len(cycles) > 1 else [last.end]
    ends = [at for at in ends if at <= now()]
    if not ends:
        return (
            f"The first cycle ends at {format_instant(last.end)}, and only usage of the past is"
            " known: choose an earlier start, or shorter cycles."
        )
    wanted = " or ".join(map(format_instant, ends))
    return f"The range must consist of whole cycles: end it at {wanted}."


def _lines_of(price: PriceDraft) -> int:
    """Returns how many lines a price may have in a cycle."""
    if isinstance(price, FixedDraft):
        return 1
    return 1 + len(price.parameters.get("rates") or ())


async def _archive_problems(connection: BaseDBAsyncClient, draft: SimulationDraft) -> list[Problem]:
    """Returns that cycles before the stored events do not begin and end with buckets of usage."""
    stored_from = await events_from(connection)
    if stored_from is None or draft.start >= stored_from:
        return []
    has_rates = any(_lines_of(price) > 1 for price in draft.prices)
    minutes, length = (HOUR_MINUTES, "hours") if has_rates else (BUCKET_MINUTES, "quarter hours")
    if bucket_of(draft.start, minutes) == draft.start:
        return []
    message = (
        f"Events from before {format_instant(stored_from)} are archived. A range that begins"
        f" before that must begin with one of the {length} in UTC."
    )
    return [problem("EVENTS_ARCHIVED", message, "start")]


async def _running_problems(connection: BaseDBAsyncClient, organization_id: UUID) -> list[Problem]:
    running = (
        await PriceSimulation.filter(
            organization_id=organization_id, status=SimulationStatus.RUNNING.value
        )
        .using_db(connection)
        .count()
    )
    if running < MOST_RUNNING:
        return []
    message = f"{MOST_RUNNING} simulations are running. Wait until one of them is done."
    return [problem("LIMIT_EXCEEDED", message)]


async def _keep_newest(connection: BaseDBAsyncClient, organization_id: UUID) -> None:
    """Lets all but the newest simulations expire, so that there is room for another."""
    await connection.execute_query(
        """
        UPDATE price_simulation SET expires_at = now()
        WHERE organization_id = $1 AND status <> 'RUNNING' AND expires_at > now() AND id IN (
            SELECT id FROM price_simulation
            WHERE organization_id = $1 ORDER BY id DESC OFFSET $2
        )
        """,
        [organization_id, MOST_KEPT - 1],
    )
