"""The cost of counting does not grow with what is stored, even with old statistics."""

import secrets
from dataclasses import replace
from typing import Any, cast

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.batches import Batches
from metering.counting.event_names import _NOTE
from metering.counting.rollup import _step_statement
from metering.ingest.events import EventDraft
from metering.ingest.stored_events import NewEvents, stored_under_external_ids
from metering.language.aggregations import AggregationFunction
from metering.language.definition import METER_COLUMNS, meter_definition
from metering.language.parameters import Parameters
from metering.live.change_feed import BEGINNING
from metering.live.changes import read_events
from models import ALL_CUSTOMERS, Customer, EventBatch, Organization
from models.identifiers import new_id
from tests.ingesting import NOON, definition_of, drain, meter_of, named, send, usages


async def _stored(organization: Organization) -> None:
    """Some thousand events of many customers on a meter, counted."""
    await meter_of(organization.id, filter_=named("ai_usage"))
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
    scans = [line for line in lines if "Seq Scan on event_2" in line]
    # A month that is left out, or has nothing yet, is there in name only.
    assert all("never executed" in line for line in scans), "\n".join(lines)
    return max((float(line.rpartition(":")[2]) for line in removed), default=0)


@pytest.mark.parametrize("dimensions", [(), ("model",)])
async def test_a_new_tenants_batch_is_counted_by_its_own_events_only(
    fresh_database: BaseDBAsyncClient, organization: Organization, dimensions: tuple[str, ...]
) -> None:
    await _stored(organization)
    await fresh_database.execute_script("ANALYZE")
    newcomer = await Organization.create(name="New", slug=secrets.token_hex(8))
    await _stored(newcomer)
    await send(newcomer.id, *usages([1, 2, 3]))
    batch = await EventBatch.get(organization_id=newcomer.id, position=None)
    (row,) = await fresh_database.execute_query_dict(
        f"SELECT {METER_COLUMNS} FROM meter WHERE organization_id = $1", [newcomer.id]
    )
    meter = replace(meter_definition(row), dimensions=dimensions)

    batches = Batches.of([vars(batch)])
    parameters = Parameters(newcomer.id, meter.id, batches.ids, ALL_CUSTOMERS, batches.months)
    counting = _step_statement(meter, parameters, 1, is_watched=False)

    # 2,000 events are stored; tables as small as the others are read whole.
    assert await _most_rows_passed_over(fresh_database, counting, parameters.values) < 500
    names = [newcomer.id, batches.ids, 3, batches.months]
    assert await _most_rows_passed_over(fresh_database, _NOTE, names) < 500


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("analyzed", [False, True])
async def test_batches_of_a_month_are_counted_by_their_own_events_only(
    fresh_database: BaseDBAsyncClient, organization: Organization, mode: str, *, analyzed: bool
) -> None:
    await _stored(organization)
    if analyzed:
        await fresh_database.execute_script("ANALYZE")
    for number in range(12):
        await send(organization.id, *usages([number]))
    pending = await EventBatch.filter(organization_id=organization.id, position=None)
    batches = Batches.of([vars(batch) for batch in pending])
    values = [organization.id, batches.ids, 3, batches.months]
    async with in_transaction() as connection:
        await connection.execute_script(f"SET LOCAL plan_cache_mode = {mode}")
        assert await _most_rows_passed_over(connection, _NOTE, values) < 500


@pytest.mark.parametrize("function", [AggregationFunction.SUM, AggregationFunction.UNIQUE])
async def test_new_combinations_of_many_customers_are_not_compared_with_each_other(
    fresh_database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    row = await meter_of(organization.id, function)
    await send(
        organization.id,
        *(
            {"externalCustomerId": f"c{number}", "metadata": {"model": "a", "tokens": number}}
            for number in range(300)
        ),
    )
    batch = await EventBatch.get(organization_id=organization.id, position=None)
    meter = replace(await definition_of(row), dimensions=("model",))
    batches = Batches.of([vars(batch)])
    parameters = Parameters(organization.id, meter.id, batches.ids, ALL_CUSTOMERS, batches.months)
    counting = _step_statement(meter, parameters, 1, is_watched=False)
    assert await _most_rows_passed_over(fresh_database, counting, parameters.values) < 2_000


async def test_a_large_batch_that_is_sent_again_is_looked_up_by_its_external_ids(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    stored = await send(
        organization.id, *({"externalId": f"event {number}"} for number in range(3_000))
    )
    await fresh_database.execute_script("ANALYZE")
    asked: list[tuple[str, list[Any]]] = []

    class Listening:
        """Notes the statement that is sent, and answers for it."""

        async def execute_query_dict(self, statement: str, values: list[Any]) -> list[Any]:
            asked.append((statement, values))
            return await fresh_database.execute_query_dict(statement, values)

    draft = EventDraft("ai_usage", None, "c1", None, NOON, "{}")
    customer = await Customer.get(organization_id=organization.id)
    again = NewEvents(
        [new_id() for _ in range(3_000)],
        [customer.id] * 3_000,
        [draft._replace(external_id=f"event {number}") for number in range(3_000)],
    )
    found = await stored_under_external_ids(
        cast(BaseDBAsyncClient, Listening()), organization.id, again
    )
    assert [found[new].event_id for new in again.ids] == [one.event_id for one in stored]
    assert not any(held.differences for held in found.values())

    [(statement, values)] = asked
    plan = await fresh_database.execute_query_dict(f"EXPLAIN {statement}", values)
    conditions = [row["QUERY PLAN"] for row in plan if "Index Cond" in row["QUERY PLAN"]]
    assert any("(key = " in condition for condition in conditions), plan


async def test_a_page_of_a_large_batch_reads_only_the_customers_of_the_page(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    await send(organization.id, *({"externalCustomerId": f"c{n}"} for n in range(1_000)))
    await drain(organization.id)
    await database.execute_script("ANALYZE")
    async with in_transaction() as connection:
        for join in ("hashjoin", "mergejoin", "seqscan"):
            await connection.execute_query(f"SET LOCAL enable_{join} = off")
        before = await _customers_read(connection)
        page = await read_events(organization.id, BEGINNING, 10, None)
        read = await _customers_read(connection) - before
    assert len({entry.row["customer_external_id"] for entry in page}) == 10
    assert [entry.cursor for entry in page] == sorted(entry.cursor for entry in page)
    assert read == 10


async def _customers_read(connection: BaseDBAsyncClient) -> int:
    (row,) = await connection.execute_query_dict(
        """
        SELECT seq_tup_read + idx_tup_fetch AS customers FROM pg_stat_xact_user_tables
        WHERE relname = 'customer'
        """
    )
    customers: int = row["customers"]
    return customers
