"""Creates benefits."""

from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.catalog.benefits import BenefitDefinition
from config.clock import now
from metering.counting.log import lock_log
from metering.language.aggregations import AggregationFunction
from metering.problems import Problem, refuse_any
from metering.texts import DESCRIPTION, name_problems
from models import Benefit, Meter


async def create_benefit(
    organization_id: UUID, description: str, definition: BenefitDefinition
) -> Benefit:
    """Creates a benefit that products can include.

    Raises:
        RefusedError: names every problem.
    """
    async with in_transaction() as connection:
        # The lock keeps its meter from being archived meanwhile.
        await lock_log(connection, organization_id)
        problems = name_problems(description, DESCRIPTION, "description")
        refuse_any([*problems, *await definition_problems(connection, organization_id, definition)])
        return await Benefit.create(
            organization_id=organization_id,
            kind=definition.kind.value,
            description=description,
            meter_id=definition.meter_id,
            parameters=definition.to_json(),
            created_at=now(),
            using_db=connection,
        )


async def definition_problems(
    connection: BaseDBAsyncClient, organization_id: UUID, definition: BenefitDefinition
) -> list[Problem]:
    """Returns what is wrong with a benefit and its meter. Holding the log keeps it so."""
    live: dict[UUID, bool] = {}
    found: list[Problem] = []
    if definition.meter_id is not None:
        meter = await Meter.get_or_none(
            organization_id=organization_id, id=definition.meter_id, using_db=connection
        )
        if meter is not None:
            live = {meter.id: meter.archived_at is None}
            found += definition.function_problems(AggregationFunction(meter.aggregation_function))
    return [*found, *definition.problems(live)]
