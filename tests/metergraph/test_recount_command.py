"""`metergraph recount`: tries anew what could not be counted, and says what became of it."""

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import AggregationFunction
from metering.meters import archive_meter
from models import Organization
from tests.ingesting import catch_up_all, drain, send, usages
from tests.metergraph.conftest import RunMetergraph
from tests.metering.test_isolation import POISON, consumed, meter_of, refuse_poison
from tests.metering.test_recount import refuse_in_customer_meters


async def test_events_are_counted_once_they_can_be(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    run_metergraph: RunMetergraph,
) -> None:
    async def unused(*_arguments: object) -> None:
        """Nothing needs the meter."""

    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    archived = await meter_of(organization, AggregationFunction.MAXIMUM)
    await send(organization.id, *usages([1, POISON]))
    await drain(organization.id)
    await catch_up_all(organization.id)
    await archive_meter(organization.id, archived.id, unused)
    left = "Archived or behind, and left as they are: 1 meter."

    code, printed = await run_metergraph("recount")
    assert (code, printed.splitlines()) == (0, ["0 events counted, 1 still cannot be.", left])
    await fresh_database.execute_script("DROP TRIGGER refuse ON usage_bucket")
    code, printed = await run_metergraph("recount")
    # After what was logged.
    assert code == 0
    assert printed.splitlines()[-2:] == ["1 event counted, 0 still cannot be.", left]
    assert await consumed(total) == 1 + POISON


async def test_a_meter_that_cannot_be_put_right_does_not_keep_the_others_from_it(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    run_metergraph: RunMetergraph,
) -> None:
    await refuse_poison(fresh_database)
    # The one that fails is tried first.
    total = await meter_of(organization, AggregationFunction.SUM)
    largest = await meter_of(organization, AggregationFunction.MAXIMUM)
    assert total.id < largest.id
    await send(organization.id, *usages([1, POISON]))
    await drain(organization.id)
    await catch_up_all(organization.id)
    await refuse_in_customer_meters(fresh_database)

    code, printed = await run_metergraph("recount")

    assert code == 1
    assert "1 event counted, 0 still cannot be." in printed
    assert f"{total.id} of organization {organization.id}: " in printed
    assert str(largest.id) not in printed.split("could not be put right")[1]
    assert await consumed(total) == 1
    assert await consumed(largest) == POISON
