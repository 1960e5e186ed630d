"""The demo's plan: subscribers, two billed cycles, and nothing twice."""

from metergraph.demo.billing import ensure_demo_billing
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import create_meter
from tests.billing.world import World
from tests.ingesting import named


async def test_the_demo_has_two_billed_cycles_behind_it(world: World) -> None:
    meter = await create_meter(
        world.id,
        "AI usage",
        "token",
        named("ai_usage"),
        Aggregation(AggregationFunction.SUM, "total_tokens"),
    )
    for _ in range(2):
        await ensure_demo_billing(world.id, meter.id)
        invoices = await world.invoices()
        assert [found.kinds for found in invoices] == [["FIXED"]] * 3 + [["METERED", "FIXED"]] * 6
        assert any(found.lines[0].amount for found in invoices if found.kinds[0] == "METERED")
    running = await world.query(
        "SELECT period_index, status FROM customer_subscription WHERE organization_id = $1"
    )
    assert running == [{"period_index": 2, "status": "ACTIVE"}] * 3
    usage = await world.query(
        "SELECT consumed, credited FROM customer_meter WHERE organization_id = $1"
    )
    assert all(row["consumed"] > 0 for row in usage)
    assert {row["credited"] for row in usage} == {1_000_000}
