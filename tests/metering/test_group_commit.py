"""Calls that share a commit: few commits, and each caller gets its own answer."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from metering.ingest import group_commit as group_commit_module
from metering.ingest.events import EventDraft, check_event
from metering.ingest.group_commit import MAXIMUM_EVENTS, GroupCommit
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt, ReceiptStatus, ingest
from metering.problems import Problem
from models import Event, EventBatch, Organization

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORGANIZATION, OTHER = UUID(int=1), UUID(int=2)


def call(
    *names: str, on_invalid: InvalidEventPolicy = InvalidEventPolicy.REJECT_BATCH
) -> IngestCall:
    return IngestCall(
        [
            check_event({"name": name, "externalCustomerId": "c", "externalId": name}, NOW, UUID)
            for name in names
        ],
        on_invalid,
    )


def names_of(ingest_call: IngestCall) -> list[str]:
    return [draft.name for draft in ingest_call.drafts]


class Storage:
    """A commit that waits to be let through, and remembers what it was given."""

    def __init__(self) -> None:
        self.commits: list[list[list[str]]] = []
        self.errors: dict[str, BaseException] = {}
        self.open = asyncio.Event()

    async def commit(
        self, _organization_id: UUID, calls: Sequence[IngestCall]
    ) -> list[list[Receipt]]:
        given = [names_of(ingest_call) for ingest_call in calls]
        self.commits.append(given)
        await self.open.wait()
        for ingest_call in calls:
            for name in names_of(ingest_call):
                if name in self.errors:
                    raise self.errors[name]
        return [
            [Receipt(ReceiptStatus.INSERTED, error=Problem("INVALID", name)) for name in names]
            for names in given
        ]


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def group_commit(storage: Storage) -> GroupCommit:
    """One commit at a time."""
    return GroupCommit(storage.commit, at_once=1)


def answered(receipts: list[Receipt]) -> list[str]:
    return [receipt.error.message for receipt in receipts if receipt.error]


async def submitted(
    group_commit: GroupCommit, *calls: IngestCall, organization_id: UUID = ORGANIZATION
) -> list["asyncio.Task[list[Receipt]]"]:
    """The calls, each waiting for its answer."""
    tasks = [
        asyncio.create_task(group_commit.submit(organization_id, ingest_call))
        for ingest_call in calls
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_calls_that_arrive_during_a_commit_share_the_next_one(
    storage: Storage, group_commit: GroupCommit
) -> None:
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"), call("c", "d"), call("e"))
    assert storage.commits == [[["a"]]]
    assert not any(task.done() for task in tasks)
    storage.open.set()
    answers = await asyncio.gather(*tasks)
    assert [answered(receipts) for receipts in answers] == [["a"], ["b"], ["c", "d"], ["e"]]
    assert storage.commits == [[["a"]], [["b"], ["c", "d"], ["e"]]]


async def test_at_most_two_commits_run_at_once(
    storage: Storage,
) -> None:
    group_commit = GroupCommit(storage.commit, worth_another=3)
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"), call("c"))
    assert storage.commits == [[["a"]]]  # too few events for another commit
    tasks += await submitted(group_commit, call("d"))
    assert storage.commits == [[["a"]], [["b"], ["c"], ["d"]]]
    tasks += await submitted(group_commit, call("e"), call("f"))
    assert len(storage.commits) == 2
    storage.open.set()
    answers = await asyncio.gather(*tasks)
    assert [answered(receipts) for receipts in answers] == [[name] for name in "abcdef"]
    assert storage.commits[2:] == [[["e"], ["f"]]]


async def test_no_call_is_forgotten() -> None:
    """Calls that arrive just when a commit ends, at every step of the event loop."""

    async def commit(_id: UUID, calls: Sequence[IngestCall]) -> list[list[Receipt]]:
        await asyncio.sleep(0)
        return [[Receipt(ReceiptStatus.INSERTED)] for _ in calls]

    group_commit = GroupCommit(commit)

    async def caller(steps: int) -> None:
        for number in range(50):
            for _ in range((steps * number) % 7):
                await asyncio.sleep(0)
            await group_commit.submit(ORGANIZATION, call("a"))

    async with asyncio.timeout(30):
        await asyncio.gather(*(caller(steps) for steps in range(1, 9)))


async def test_organizations_do_not_wait_for_each_other(
    storage: Storage, group_commit: GroupCommit
) -> None:
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"), organization_id=OTHER)
    assert storage.commits == [[["a"]], [["b"]]]
    storage.open.set()
    await asyncio.gather(*tasks)


async def test_a_commit_takes_no_more_events_than_a_call_may_have(
    storage: Storage, group_commit: GroupCommit
) -> None:
    tasks = await submitted(group_commit, call("first"))
    half = call(*["x"] * (MAXIMUM_EVENTS // 2))
    whole = call(*["y"] * MAXIMUM_EVENTS)
    tasks += await submitted(group_commit, half, half, call("z"), whole, call("last"))
    storage.open.set()
    await asyncio.gather(*tasks)
    sizes = [[len(names) for names in commit] for commit in storage.commits]
    assert sizes == [
        [1],
        [MAXIMUM_EVENTS // 2, MAXIMUM_EVENTS // 2],
        [1],
        [MAXIMUM_EVENTS],
        [1],
    ]


@pytest.mark.parametrize(
    "error",
    [OperationalError("invalid data"), asyncpg.ProgramLimitExceededError("index row too large")],
)
async def test_data_that_fails_one_call_does_not_fail_its_neighbours(
    error: Exception, storage: Storage, group_commit: GroupCommit
) -> None:
    storage.errors["bad"] = error
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"), call("bad", "c"), call("d"))
    storage.open.set()
    first, second, bad, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert bad is error
    assert [answered(cast(Any, found)) for found in (first, second, last)] == [["a"], ["b"], ["d"]]


async def test_an_outage_fails_the_waiting_calls_and_no_later_ones(
    storage: Storage, group_commit: GroupCommit
) -> None:
    storage.errors["b"] = ConnectionResetError("gone")
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"), call("c"))
    storage.open.set()
    first, *failed = await asyncio.gather(*tasks, return_exceptions=True)
    assert not isinstance(first, BaseException)
    assert [type(error) for error in failed] == [ConnectionResetError] * 2
    assert len(storage.commits) == 2
    assert answered(await group_commit.submit(ORGANIZATION, call("c"))) == ["c"]


async def test_a_caller_that_leaves_changes_nothing_for_the_others(
    storage: Storage, group_commit: GroupCommit
) -> None:
    leaving, staying = await submitted(group_commit, call("a"), call("b"))
    waiting = await submitted(group_commit, call("c"))
    leaving.cancel()
    waiting[0].cancel()
    storage.open.set()
    assert answered(await staying) == ["b"]
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert answered(await group_commit.submit(ORGANIZATION, call("d"))) == ["d"]


async def test_calls_end_when_their_commit_is_cancelled(
    storage: Storage, group_commit: GroupCommit
) -> None:
    storage.errors["a"] = asyncio.CancelledError()
    tasks = await submitted(group_commit, call("a"))
    tasks += await submitted(group_commit, call("b"))
    storage.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2
    assert answered(await group_commit.submit(ORGANIZATION, call("c"))) == ["c"]


async def test_many_single_events_share_few_commits(organization: Organization) -> None:
    group_commit = GroupCommit(ingest)
    answers = await asyncio.gather(
        *(group_commit.submit(organization.id, call(f"e{number}")) for number in range(100))
    )
    assert {receipt.status for receipts in answers for receipt in receipts} == {
        ReceiptStatus.INSERTED
    }
    ids = {receipt.event_id for receipts in answers for receipt in receipts}
    stored = await Event.filter(organization_id=organization.id).values_list("id", flat=True)
    assert set(stored) == ids
    assert len(ids) == 100
    assert await EventBatch.filter(organization_id=organization.id).count() <= 2


async def test_the_database_refusing_one_call_does_not_fail_its_neighbours(
    organization: Organization,
) -> None:
    """A draft that no check would let through: the database itself refuses it."""
    broken: list[Any] = [EventDraft("e", None, "c", None, None, '{"a": "\\u0000"}')]
    group_commit = GroupCommit(ingest)
    answers = await asyncio.gather(
        group_commit.submit(organization.id, call("a")),
        group_commit.submit(organization.id, IngestCall(broken, InvalidEventPolicy.SKIP_INVALID)),
        group_commit.submit(organization.id, call("b", "c")),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [list, OperationalError, list]
    names = await Event.filter(organization_id=organization.id).values_list("name", flat=True)
    assert sorted(map(str, names)) == ["a", "b", "c"]


async def test_calls_after_slow_commits_do_not_wait_for_them(
    monkeypatch: pytest.MonkeyPatch, storage: Storage
) -> None:
    monkeypatch.setattr(group_commit_module, "_SLOW_SECONDS", 0.01)
    group_commit = GroupCommit(storage.commit)
    tasks: list[asyncio.Task[list[Receipt]]] = []
    async with asyncio.timeout(60):
        for number, name in enumerate("abcd"):
            tasks += await submitted(group_commit, call(name))
            while len(storage.commits) <= number:  # noqa: ASYNC110  # commits tell nobody
                await asyncio.sleep(0.001)
    tasks += await submitted(group_commit, call("e"), call("f"))
    await asyncio.sleep(0.05)
    assert storage.commits == [[["a"]], [["b"]], [["c"]], [["d"]]]
    storage.open.set()
    answers = await asyncio.gather(*tasks)
    assert [answered(receipts) for receipts in answers] == [[name] for name in "abcdef"]
