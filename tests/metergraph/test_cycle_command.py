"""`metergraph cycle`: counts pending events, then renews and invoices as of an instant."""

import asyncio
import os
import pty
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.subscriptions.life import SubscriptionDraft, create_subscription
from config import clock
from config.settings import Settings
from models import (
    Customer,
    CustomerMeter,
    CustomerSubscription,
    Event,
    EventBatch,
    Invoice,
    Meter,
    Organization,
)
from tests.billing.world import World
from tests.commands import environment_of
from tests.metergraph.running import RunMetergraph


async def test_a_cycle_as_of_an_instant(
    world: World, organization: Organization, run_metergraph: RunMetergraph
) -> None:
    customer = await Customer.get(organization_id=organization.id)
    code, printed = await run_metergraph("cycle", "--yes", "--at", "2026-03-01T00:00:00Z")
    assert (code, printed) == (0, "2 periods renewed.\n")
    invoices = await world.invoices()
    assert [found.amounts for found in invoices] == [[2000], [30, 2000], [0, 2000]]
    assert invoices[-1].invoice.issued_at.isoformat() == "2026-03-01T00:00:00+00:00"
    code, printed = await run_metergraph("cycle", "--yes", "--at", "2026-03-01T02:00:00+02:00")
    assert (code, printed) == (0, "Nothing was due.\n")
    await world.send(customer, ("2026-01-20", 5))
    code, printed = await run_metergraph("cycle", "--yes", "--at", "2026-04-01T00:00:00Z")
    assert (code, printed) == (0, "1 period renewed.\n")
    assert (await world.invoices())[-1].amounts == [0, 5, 2000]
    await world.send(customer, ("2026-01-21", 1))
    code, printed = await run_metergraph("cycle", "--yes", "--at", "2026-04-02T00:00:00Z")
    assert (code, printed) == (0, "1 customer rated again for late events.\n")


async def test_an_invalid_instant_is_refused(run_metergraph: RunMetergraph) -> None:
    for instant in ("2026-03-01", "tomorrow", "2026-13-01T00:00:00Z"):
        code, printed = await run_metergraph("cycle", "--at", instant)
        assert code == 2
        assert "ISO 8601" in printed or "no offset" in printed
        assert "Traceback" not in printed


@pytest.mark.parametrize("mode", ["--dry-run", "--yes"])
async def test_an_instant_far_ahead_is_refused(run_metergraph: RunMetergraph, mode: str) -> None:
    code, printed = await run_metergraph("cycle", mode, "--at", "9999-12-31T00:00:00Z")
    assert code == 2
    assert "--at may be at most a year ahead." in printed


TOMORROW = (clock.now() + timedelta(days=1)).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
AskMetergraph = Callable[..., Awaitable[int]]
SOON = "2026-02-01T00:00:00Z"


@pytest.fixture
async def world(fresh_database: BaseDBAsyncClient, organization: Organization) -> World:
    """A subscriber since January, with an event that is not counted."""
    world = World(organization, fresh_database)
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(world.fixed(), world.per_unit(meter))
    await world.subscribe(customer, product, "2026-01-01")
    await world.send(customer, ("2026-01-10", 30))
    return world


async def everything() -> list[list[dict[str, object]]]:
    models = (Invoice, CustomerSubscription, CustomerMeter, Meter, EventBatch, Event)
    return [list(await model.all().order_by("id").values()) for model in models]


async def test_a_dry_run_prints_the_invoices_and_changes_nothing(
    world: World, organization: Organization, run_metergraph: RunMetergraph
) -> None:
    before = await everything()
    asked = ("cycle", "--at", SOON, "--dry-run")
    code, printed = await run_metergraph(*asked)
    customer = await Customer.get(organization_id=organization.id)
    assert (code, printed.splitlines()) == (
        0,
        [
            "As of 2026-02-01T00:00:00Z; amounts in minor units, such as cents.",
            "",
            organization.slug,
            f"  {customer.external_id or customer.id}: 2,030 USD",
            *(line for line in printed.splitlines() if line.startswith("    ")),
            "",
            "1 invoice. 1 period renewed. This was a dry run: nothing changed.",
        ],
    )
    lines = [line.split()[:2] for line in printed.splitlines() if line.startswith("    ")]
    assert sorted(lines) == [["2,000", "FIXED"], ["30", "METERED"]]
    assert await everything() == before
    assert await run_metergraph(*asked) == (0, printed)
    assert await run_metergraph("cycle", "--at", SOON, "--yes") == (0, "1 period renewed.\n")
    assert [found.amounts for found in await world.invoices()] == [[2000], [30, 2000]]
    code, printed = await run_metergraph(*asked)
    assert printed.endswith("0 invoices. Nothing was due. This was a dry run: nothing changed.\n")


async def test_a_cycle_may_be_for_one_organization(
    world: World, run_metergraph: RunMetergraph
) -> None:
    await Organization.create(slug="another", name="Another")
    before = await everything()
    code, printed = await run_metergraph("cycle", "--at", SOON, "--organization", "another")
    assert printed == "Nothing was due.\n"
    assert [len(rows) for rows in await everything()] == [len(rows) for rows in before]
    code, printed = await run_metergraph("cycle", "--organization", "no-one", "--dry-run")
    assert code == 1
    assert "There is no organization no-one" in printed


async def test_the_future_is_refused_without_a_terminal(
    world: World, run_metergraph: RunMetergraph
) -> None:
    before = await everything()
    code, printed = await run_metergraph("cycle", "--at", TOMORROW)
    assert code == 1
    assert TOMORROW in printed
    assert "--dry-run" in printed
    assert "--yes" in printed
    assert await everything() == before


@pytest.mark.parametrize(
    ("answer", "code", "turned"), [("n", 130, False), ("", 130, False), ("y", 0, True)]
)
async def test_a_person_is_asked_before_the_future(
    world: World, ask_metergraph: AskMetergraph, answer: str, code: int, turned: bool
) -> None:
    before = await everything()
    assert await ask_metergraph(answer, "cycle", "--at", TOMORROW) == code
    assert (await everything() != before) is turned


@pytest.fixture
def ask_metergraph(settings: Settings) -> AskMetergraph:
    """Runs a command on a terminal on which somebody answers; gives its exit code."""

    async def ask(answer: str, *arguments: str) -> int:
        keyboard, terminal = pty.openpty()
        os.write(keyboard, f"{answer}\n".encode())
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "metergraph", *arguments),
                stdin=terminal,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **environment_of(settings)},
            )
            await process.communicate()
        finally:
            os.close(terminal)
            os.close(keyboard)
        assert process.returncode is not None
        return process.returncode

    return ask


async def test_a_cycle_that_fails_says_where_and_why(
    world: World, organization: Organization, run_metergraph: RunMetergraph
) -> None:
    await world.database.execute_script(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger is closed'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON invoice EXECUTE FUNCTION refuse();
        """
    )
    for more in ((), ("--dry-run",)):
        code, printed = await run_metergraph("cycle", "--yes", "--at", SOON, *more)
        assert code == 1
        assert "Error: The cycle failed.\n" in printed
        assert f"{organization.slug}: PostgreSQL said: the ledger is closed" in printed
        assert "ExceptionGroup" not in printed


AHEAD = """
import runpy, sys
from datetime import UTC, datetime, timedelta
from config import clock
clock.machine_now = lambda: datetime.now(UTC) + timedelta(days=40)
sys.argv = ["metergraph", *sys.argv[1:]]
runpy.run_module("metergraph", run_name="__main__")
"""


async def test_a_machine_with_a_fast_clock_renews_no_period_early(
    fresh_database: BaseDBAsyncClient, organization: Organization, settings: Settings
) -> None:
    async def run(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AHEAD, "cycle", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment_of(settings)},
        )
        printed, _ = await process.communicate()
        return printed.decode()

    world = World(organization, fresh_database)
    product = await world.product(world.fixed())
    draft = SubscriptionDraft((await world.customer()).id, product.id)
    await create_subscription(organization.id, draft)
    assert await run() == "Nothing was due.\n"
    assert "is in the future" in await run("--at", TOMORROW)
    assert len(await world.invoices()) == 1
