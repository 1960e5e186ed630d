"""What counting costs does not grow with what is stored, also where the statistics are old."""

import secrets

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.aggregations import Aggregation, AggregationFunction
from metering.definition import COLUMNS, meter_definition
from metering.event_names import _NOTE
from metering.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from metering.parameters import Parameters
from metering.rollup import _statement
from models import EVERYBODY, EventBatch, Organization
from tests.ingesting import drain, send, usages


async def _stored(organization: Organization) -> None:
    """Some thousand events of many customers on a meter, counted."""
    clause = Clause("name", ClauseOperator.EQUALS, "ai_usage")
    await create_meter(
        organization.id,
        "Meter",
        None,
        Filter(clauses=(clause,)),
        Aggregation(AggregationFunction.SUM, "tokens"),
    )
    for _ in range(20):
        await send(
            organization.id,
            *(
                {**event, "externalCustomerId": f"c{number}"}
                for number, event in enumerate(usages(range(100)))
            ),
        )
    await drain(organization.id)


async def _most_rows_passed_over(
    database: BaseDBAsyncClient, statement: str, values: list[object]
) -> float:
    rows = await database.execute_query_dict(f"EXPLAIN (ANALYZE) {statement}", values)
    lines = [row["QUERY PLAN"] for row in rows]
    removed = [line for line in lines if "Rows Removed" in line]
    assert not any("Seq Scan on event " in line for line in lines), "\n".join(lines)
    return max((float(line.rpartition(":")[2]) for line in removed), default=0)


async def test_a_new_tenants_batch_is_counted_by_its_own_events_only(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await _stored(organization)
    await fresh_database.execute_script("ANALYZE")
    newcomer = await Organization.create(name="New", slug=secrets.token_hex(8))
    await _stored(newcomer)
    await send(newcomer.id, *usages([1, 2, 3]))
    batch = await EventBatch.get(organization_id=newcomer.id, position=None)
    (row,) = await fresh_database.execute_query_dict(
        f"SELECT {COLUMNS} FROM meter WHERE organization_id = $1", [newcomer.id]
    )
    meter = meter_definition(row)

    parameters = Parameters(newcomer.id, meter.id, [batch.id], EVERYBODY)
    counting = _statement(meter, parameters, "")

    # 2,000 events are stored; tables as small as the others are read whole.
    assert await _most_rows_passed_over(fresh_database, counting, parameters.values) < 500
    assert (
        await _most_rows_passed_over(fresh_database, _NOTE, [newcomer.id, [batch.id], 3, 19]) < 500
    )
