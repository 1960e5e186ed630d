"""An organization's scans and requests leave the database to the others, too."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from config.settings import Settings
from metering.usage.preview import Preview
from models import Customer, Organization
from resolvers.queries import meters
from schema.ids import encode_id
from schema.loaders import rows, sources
from schema.scans import MOST_WAITING
from tests.graphql_client import Api
from tests.postgres import connection_to

PREVIEW = "meterPreview(filter: {}, aggregation: {function: COUNT}) { matchedEvents }"
WHERE = 'filter: {where: {clauses: [{clause: {property: "x", operator: EQUALS, value: "1"}}]}}'
SECONDS = 30


class Gate:
    """Stands in for the statements of scans; each waits until the gate is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.running = 0
        self.most = 0
        self._changed = asyncio.Event()

    async def through(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        self._changed.set()
        try:
            await self.open.wait()
        finally:
            self.running -= 1
            self._changed.set()

    async def until(self, running: int) -> None:
        async with asyncio.timeout(SECONDS):
            while self.running != running:
                self._changed.clear()
                await self._changed.wait()

    async def preview(self, *_arguments: Any) -> Preview:
        await self.through()
        return Preview(matched=7, skipped=0, quantity=None)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    scan = rows.scan

    async def gated(place: Any, sql: str, *parameters: Any) -> Any:
        async with place():
            await gate.through()
        return await scan(place, sql, *parameters)

    monkeypatch.setattr(meters, "preview", gate.preview)
    monkeypatch.setattr(sources, "scan", gated)
    return gate


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0.001)


@contextmanager
def asked(api: Api, *queries: str) -> Iterator[list["asyncio.Task[dict[str, Any]]"]]:
    tasks = [asyncio.create_task(api.ask(query)) for query in queries]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()


async def test_previews_of_an_operation_take_turns(api: Api, gate: Gate) -> None:
    previews = " ".join(f"p{number}: {PREVIEW}" for number in range(10))
    with asked(api, f"{{ {previews} }}") as (operation,):
        await gate.until(running=2)
        await settle()
        gate.open.set()
        answer = await operation
    assert answer["data"] == {f"p{number}": {"matchedEvents": 7} for number in range(10)}
    assert gate.most == 2


@pytest.mark.parametrize(
    "query",
    [
        f"{{ {PREVIEW} }}",
        f"{{ events({WHERE}) {{ nodes {{ id }} }} }}",
        "{ events { totalCount } }",
    ],
)
async def test_an_organization_runs_two_scans_at_a_time_and_others_run_theirs(
    api: Api, other_api: Api, gate: Gate, query: str
) -> None:
    with asked(api, *[query] * 5) as mine, asked(other_api, query) as others:
        await gate.until(running=3)
        await settle()
        assert gate.running == 3
        assert not any(task.done() for task in (*mine, *others))
        # What is no scan does not wait for one.
        assert await api.get("{ events { nodes { id } } customers { totalCount } }") == {
            "events": {"nodes": []},
            "customers": {"totalCount": 0},
        }
        gate.open.set()
        answers = await asyncio.gather(*mine, *others)
    assert not [answer for answer in answers if "errors" in answer]
    assert gate.most == 3


async def test_a_cancelled_scan_gives_its_place_back(api: Api, gate: Gate) -> None:
    query = "{ events { totalCount } }"
    with asked(api, *[query] * 3) as tasks:
        await gate.until(running=2)
        for task in tasks[:2]:
            task.cancel()
        await asyncio.wait(tasks[:2])
        await gate.until(running=1)  # the third
        gate.open.set()
        assert (await tasks[2])["data"] == {"events": {"totalCount": 0}}


async def test_one_scan_too_many_is_told_when_to_try_again(api: Api, gate: Gate) -> None:
    query = f"{{ {PREVIEW} }}"
    with asked(api, *[query] * (2 + MOST_WAITING)) as tasks:
        await gate.until(running=2)
        await settle()
        (error,) = (await api.ask(query))["errors"]
        assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 5}
        gate.open.set()
        answers = await asyncio.gather(*tasks)
    assert all(answer["data"]["meterPreview"]["matchedEvents"] == 7 for answer in answers)


async def test_others_are_answered_while_one_organization_waits_for_locks(
    api: Api, other_api: Api, organization: Organization, settings: Settings
) -> None:
    customer = await Customer.create(organization_id=organization.id, external_id="c1")
    update = """mutation ($id: ID!) { customerUpdate(input: {id: $id, name: "New"}) {
      userErrors { message } } }"""
    public_id = encode_id("Customer", customer.id)
    ingest = """mutation { eventsIngest(input: {events: [{name: "n", externalCustomerId: "c2"}]}) {
      inserted } }"""
    async with connection_to(settings) as blocker:
        async with blocker.transaction(), asyncio.timeout(SECONDS):
            await blocker.execute("SELECT FROM customer WHERE id = $1 FOR UPDATE", customer.id)
            waiting = [asyncio.create_task(api.get(update, id=public_id)) for _ in range(30)]
            blocked = 0
            while blocked < 7:  # half of those that do not store
                await blocker.execute("SELECT pg_stat_clear_snapshot()")
                blocked = await blocker.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
            for _ in range(3):
                assert await other_api.get("{ meters { nodes { id } } }") == {
                    "meters": {"nodes": []}
                }
                stored = await other_api.get(ingest)
                assert stored["eventsIngest"]["inserted"] == 1
            assert (await api.get(ingest))["eventsIngest"]["inserted"] == 1
            assert not any(task.done() for task in waiting)
        answers = await asyncio.gather(*waiting)
    assert answers == [{"customerUpdate": {"userErrors": []}}] * 30
