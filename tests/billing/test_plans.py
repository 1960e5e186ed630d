"""What billing costs grows with what is due, also where the statistics are from before."""

import re
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.invoicing.due_invoices import _NEXT_CHUNK, CHUNK, FIRST
from billing.periods.open_periods import _OPEN_PERIODS
from billing.subscriptions.cycle import _LATE_CUSTOMERS
from models import Meter, Organization

SUBSCRIPTIONS = 1_000
LATE = 10_000


async def test_a_chunk_of_waiting_periods_reads_no_more_than_its_own(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await fresh_database.execute_query(
        """
        INSERT INTO customer_subscription (
            organization_id, id, customer_id, product_id, status, started_at, anchor_at,
            period_index, current_period_start, current_period_end, usage_period_start,
            usage_period_end, created_at, cancel_at_period_end
        )
        SELECT $1, gen_random_uuid(), $2, $2, 'ACTIVE', now(), now(), 2, now(), now(), now(), now(),
               now(), false
        FROM generate_series(1, $3::int)
        """,
        [organization.id, uuid4(), SUBSCRIPTIONS],
    )
    for index, invoiced in ((0, "now()"), (1, "NULL"), (2, "NULL")):
        await fresh_database.execute_query(
            f"""
            INSERT INTO subscription_period (
                organization_id, id, subscription_id, period_index, starts_at, ends_at, is_last,
                closed_at, invoiced_at
            )
            SELECT $1, gen_random_uuid(), id, $2, now(), now(), false, now(), {invoiced}
            FROM customer_subscription WHERE organization_id = $1
            """,
            [organization.id, index],
        )
        if index == 0:
            await fresh_database.execute_script("ANALYZE")

    seen: list[UUID] = []
    while waiting := await fresh_database.execute_query_dict(
        _NEXT_CHUNK, [organization.id, seen[-1] if seen else FIRST]
    ):
        assert {row["period_index"] for row in waiting} == {1}
        seen += [row["subscription_id"] for row in waiting]
    assert len(set(seen)) == len(seen) == SUBSCRIPTIONS

    plan = await fresh_database.execute_query_dict(
        f"EXPLAIN (ANALYZE) {_NEXT_CHUNK}", [organization.id, FIRST]
    )
    lines = [row["QUERY PLAN"] for row in plan]
    read = _rows_read("subscription_period", lines)
    assert read, lines
    assert max(read) <= 2 * CHUNK + 1, lines


async def test_open_links_of_a_chunk_are_read_one_by_one(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    """However many the organization has: the statistics are those of no links at all."""
    await fresh_database.execute_script("ANALYZE")
    meter_id = uuid4()
    await fresh_database.execute_query(
        """
        WITH linked AS (
            INSERT INTO metered_period (
                organization_id, id, customer_id, meter_id, starts_at, is_behind, needs_correction
            )
            SELECT $1, gen_random_uuid(), gen_random_uuid(), $2, now(), false, false
            FROM generate_series(1, $3::int)
            RETURNING id, customer_id
        ), granted AS (
            INSERT INTO credit_grant (
                organization_id, id, customer_id, meter_id, metered_period_id, units, priority,
                is_rolling, created_at
            )
            SELECT $1, gen_random_uuid(), customer_id, $2, id, 1, 50, true, now() FROM linked
            RETURNING id, metered_period_id
        ), held AS (
            INSERT INTO credit_holding (
                organization_id, metered_period_id, credit_grant_id, brought, revoked, taken,
                revocable, burned
            )
            SELECT $1, metered_period_id, id, 1, 0, 0, 0, 0 FROM granted
        )
        INSERT INTO customer_meter (
            organization_id, id, customer_id, meter_id, count, unique_count, sum, consumed,
            credited, revision, updated_at
        )
        SELECT $1, gen_random_uuid(), customer_id, $2, 0, 0, 0, 0, 0, 0, now() FROM linked
        """,
        [organization.id, meter_id, SUBSCRIPTIONS],
    )
    for analyzed in (False, True):
        if analyzed:
            await fresh_database.execute_script("ANALYZE")
        chains = await fresh_database.execute_query_dict(
            "SELECT customer_id FROM metered_period WHERE organization_id = $1 LIMIT 10",
            [organization.id],
        )
        values = [organization.id, [row["customer_id"] for row in chains], [meter_id] * 10]
        assert len(await fresh_database.execute_query_dict(_OPEN_PERIODS, values)) == 10
        plan = await fresh_database.execute_query_dict(f"EXPLAIN (ANALYZE) {_OPEN_PERIODS}", values)
        lines = [row["QUERY PLAN"] for row in plan]
        assert not any("Seq Scan" in line for line in lines), lines
        scans = [line for line in lines if "Index Scan" in line]
        assert len(scans) == 4, lines
        assert all("rows=1" in line and "loops=10" in line for line in scans), lines


async def test_a_chunk_of_late_customers_reads_no_more_than_a_chunk(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    """Neither the late customers beyond it, nor the periods that their meter cannot mend yet."""
    await fresh_database.execute_script("ANALYZE")
    meter = await Meter.create(
        organization_id=organization.id,
        name="m",
        event_filter={},
        aggregation_function="COUNT",
        position=10,
    )
    await fresh_database.execute_query(
        """
        INSERT INTO billing_frontier (organization_id, customer_id, closed_through, late_from)
        SELECT $1, gen_random_uuid(), now(), now() FROM generate_series(1, $2::int)
        """,
        [organization.id, LATE],
    )
    for position in (10, 9):
        await fresh_database.execute_query(
            """
            INSERT INTO metered_period (
                organization_id, id, customer_id, meter_id, starts_at, ends_at, closed_at,
                position, is_behind, needs_correction
            )
            SELECT $1, gen_random_uuid(), gen_random_uuid(), $2, now(), now(), now(), $4,
                   true, false
            FROM generate_series(1, $3::int)
            """,
            [organization.id, meter.id, LATE, position],
        )
    for analyzed in (False, True):
        if analyzed:
            await fresh_database.execute_script("ANALYZE")
        values = [organization.id, 20, CHUNK]
        found = await fresh_database.execute_query_dict(_LATE_CUSTOMERS, values)
        assert len({row["customer_id"] for row in found}) == len(found) == CHUNK
        plan = await fresh_database.execute_query_dict(
            f"EXPLAIN (ANALYZE) {_LATE_CUSTOMERS}", values
        )
        lines = [row["QUERY PLAN"] for row in plan]
        read = _rows_read("billing_frontier|metered_period", lines)
        assert read, lines
        assert max(read) <= CHUNK, lines
        assert not any("Rows Removed" in line for line in lines), "\n".join(lines)


def _rows_read(table: str, plan: list[str]) -> list[float]:
    """The rows that each scan of a table gave."""
    return [
        float(match[1])
        for line in plan
        if (match := re.search(rf"on (?:{table})\b.*actual .* rows=([\d.]+)", line))
    ]
