"""`metergraph cycle`: counts what waits, then does all that is due as of an instant."""

from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.billing.world import World
from tests.config.conftest import RunMetergraph


async def test_a_cycle_as_of_an_instant(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    run_metergraph: RunMetergraph,
) -> None:
    world = World(organization, fresh_database)
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-01")
    await world.send(customer, ("2026-01-10", 30))
    code, printed = await run_metergraph("cycle", "--at", "2026-03-01T00:00:00Z")
    assert (code, printed) == (0, "2 periods turned.\n")
    invoices = await world.invoices()
    assert [found.amounts for found in invoices] == [[2000], [30, 2000], [0, 2000]]
    assert invoices[-1].invoice.issued_at.isoformat() == "2026-03-01T00:00:00+00:00"
    code, printed = await run_metergraph("cycle", "--at", "2026-03-01T02:00:00+02:00")
    assert (code, printed) == (0, "Nothing was due.\n")
    await world.send(customer, ("2026-01-20", 5))
    code, printed = await run_metergraph("cycle", "--at", "2026-04-01T00:00:00Z")
    assert (code, printed) == (0, "1 period turned.\n")
    assert (await world.invoices())[-1].amounts == [0, 5, 2000]
    await world.send(customer, ("2026-01-21", 1))
    code, printed = await run_metergraph("cycle", "--at", "2026-04-02T00:00:00Z")
    assert (code, printed) == (0, "1 customer rated anew for late events.\n")


async def test_an_instant_that_is_none(run_metergraph: RunMetergraph) -> None:
    for instant in ("2026-03-01", "tomorrow", "2026-13-01T00:00:00Z"):
        code, printed = await run_metergraph("cycle", "--at", instant)
        assert code == 2
        assert "ISO 8601" in printed or "no offset" in printed
        assert "Traceback" not in printed
