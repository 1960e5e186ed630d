"""Aggregations whose values last until an event changes them."""

from datetime import UTC, datetime

from tortoise.transactions import in_transaction

from metering.counting.log import lock_log, next_revision
from metering.language.aggregations import AggregationFunction
from metering.language.definition import MeterDefinition
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.periods import begin_periods
from tests.reference.carried import CARRYING_OVER

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
FUNCTIONS = [AggregationFunction(function) for function in CARRYING_OVER]
LASTING = [*FUNCTIONS, AggregationFunction.TIME_WEIGHTED]


async def begin(meter: MeterDefinition, periods: list[CustomerPeriod]) -> None:
    """Makes these the current periods, as a renewal does."""
    async with in_transaction() as connection:
        log = await lock_log(connection, meter.organization_id)
        revision = await next_revision(connection, meter.organization_id)
        await begin_periods(connection, meter, log.head, periods, revision)
