"""A test fails that is the first to run a statement that breaks a rule of distributed tables.

Statements are collected while a test runs, and judged after it, each text once in each process.
`metergraph/database/distribution.py` has the tables, and docs/scaling.md the rules.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence

import asyncpg
import pytest

from metergraph.database.distribution import REFERENCE_TABLES
from tests.distribution import cluster
from tests.distribution.changes import Functions, changes, read_functions, refused
from tests.distribution.collecting import Collector, Sent
from tests.distribution.exceptions import EVERY_ORGANIZATION
from tests.distribution.plans import Planner

_CHANGES_OR_READS = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


class Judge:
    """Says which statements cannot run on tables that are distributed by organization."""

    def __init__(self, planner: Planner, functions: Functions) -> None:
        self._planner = planner
        self._functions = functions

    async def faults(self, statements: Sequence[Sent]) -> list[str]:
        """Returns a sentence for each statement that has faults, with all of them."""
        return [
            f"A statement of {sent.sender} {', and '.join(found)}:\n{sent.text}"
            for sent in statements
            if _CHANGES_OR_READS.match(sent.text) and (found := await self._faults(sent))
        ]

    async def _faults(self, sent: Sent) -> list[str]:
        try:
            tables = await self._planner.unlimited_tables(sent.text)
        except asyncpg.PostgresError as error:
            return [f"cannot be planned: {error}"]
        found = [
            f"reads {table} without organization_id = $n, so it reads every organization's rows"
            for table in tables
            if sent.sender not in EVERY_ORGANIZATION
        ]
        for change in changes(sent.text):
            found += [
                f"{fault}, which a distributed table refuses"
                for fault in refused(change, self._functions)
            ]
            is_stamped = change.kind != "UPDATE" or "revision" in change.columns
            if change.table == "customer_subscription" and not is_stamped:
                found.append("changes customer_subscription without writing its revision")
        return found


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Collects the statements of this process's tests."""
    found = Collector()
    with found.collecting():
        yield found


@pytest.fixture(scope="session")
async def judge(planning_database: asyncpg.Connection) -> Judge:
    """Judges statements, by plans on an empty database."""
    planner = Planner(planning_database, REFERENCE_TABLES)
    await planner.prepare()
    return Judge(planner, await read_functions(planning_database))


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judge | None:
    """The judge of a test that uses PostgreSQL; a test that does not need not start it.

    On a cluster, the cluster itself refuses what breaks a rule.
    """
    found: Judge | None = None
    if not cluster.WORKERS and "template_database" in request.fixturenames:
        found = request.getfixturevalue("judge")
    return found


@pytest.fixture(autouse=True)
async def statements_fit_a_cluster(
    collector: Collector, judged: Judge | None
) -> AsyncIterator[None]:
    """Fails a test that was the first to run a statement which breaks a rule."""
    yield
    new = collector.take()
    if judged is not None:
        faults = await judged.faults(new)
        if faults:
            pytest.fail("\n\n".join(faults), pytrace=False)
