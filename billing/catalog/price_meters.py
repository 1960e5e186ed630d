"""What prices need of their meters: that they count, and have the dimensions of their rates."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft, PriceDraft, meter_problems
from billing.rating.dimension_rates import meter_rates_problems, rates_from_json
from metering.language.aggregations import AggregationFunction
from metering.language.properties import property_of
from metering.meters import MeterNeeds
from metering.problems import Problem, problem
from models import Meter, exact_json

ADDING_UP = frozenset({AggregationFunction.COUNT, AggregationFunction.SUM})
"""Functions whose quantity is the sum of those of any parts of the events."""


async def price_meter_problems(
    connection: BaseDBAsyncClient, organization_id: UUID, prices: Sequence[PriceDraft]
) -> list[Problem]:
    """Returns what is wrong with the meters of a product's prices. Holding the log keeps it so."""
    metered = [
        (index, price) for index, price in enumerate(prices) if isinstance(price, MeteredDraft)
    ]
    ids = [price.meter_id for _, price in metered if price.meter_id is not None]
    rows = await Meter.filter(organization_id=organization_id, id__in=ids).using_db(connection)
    meters = {row.id: row for row in rows}
    live = {row.id: row.archived_at is None for row in rows}
    found: list[Problem] = []
    for index, price in metered:
        path = ("prices", index, "metered")
        missing = meter_problems(price.meter_id, live, *path, "meterId")
        found += missing
        rates = price.parameters.get("rates")
        if rates and not missing and price.meter_id is not None:
            meter = meters[price.meter_id]
            found += meter_rates_problems(rates, meter.dimensions, *path, "rates")
            if AggregationFunction(meter.aggregation_function) not in ADDING_UP:
                message = "Rates need a meter that counts or sums: COUNT or SUM."
                found.append(problem("INVALID", message, *path, "rates"))
    return found


async def needs_of_rates(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID
) -> MeterNeeds:
    """Returns what the rates of all prices need of a meter."""
    rows = await connection.execute_query_dict(
        """
        SELECT parameters->'rates' AS rates FROM product_price
        WHERE organization_id = $1 AND meter_id = $2 AND parameters ? 'rates'
        """,
        [organization_id, meter_id],
    )
    used = {
        property_of(value.property)
        for row in rows
        for rate in rates_from_json(exact_json.loads(row["rates"]))
        for value in rate.values
    }
    return MeterNeeds(frozenset(used), ADDING_UP if used else frozenset(AggregationFunction))
