"""Fixtures of the tests' databases: a migrated template, and its copies."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.database.opening import migrate, opened_database
from tests.distribution import cluster


@pytest.fixture(scope="session")
async def template_database(servers: tuple[str, str]) -> AsyncIterator[str]:
    """The name of a migrated, empty database, to be copied."""
    async with _database(servers[0]) as name:
        settings = Settings(database_url=cluster.named(servers[0], name))
        async with opened_database(settings, role="tests"):
            await migrate(settings)
        if cluster.WORKERS:
            await cluster.distribute_template(servers[0], name)
        yield name


@pytest.fixture(scope="session")
async def planning_database(
    servers: tuple[str, str], template_database: str
) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty database, on which statements are only planned."""
    async with _database(servers[0], template_database) as name:
        connection = await asyncpg.connect(
            **credentials(cluster.named(servers[0], name)), statement_cache_size=0
        )
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture(scope="session")
async def shared_database_url(
    servers: tuple[str, str], template_database: str
) -> AsyncIterator[str]:
    """The URL of the database that the tests of this session share."""
    async with _database(servers[0], template_database) as name:
        yield cluster.named(servers[0], name)


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest,
    servers: tuple[str, str],
    template_database: str,
    shared_database_url: str,
) -> AsyncIterator[str]:
    """The URL of this test's database: the shared one, or its own with a `fresh_` fixture."""
    if not {"fresh_database", "fresh_database_url"} & set(request.fixturenames):
        yield shared_database_url
        return
    async with _database(servers[0], template_database) as name:
        yield cluster.named(servers[0], name)


@pytest.fixture
def fresh_database_url(database_url: str) -> str:
    """As `database_url`, of empty tables; for what opens the database itself."""
    return database_url


class _database:  # noqa: N801  # a context manager that reads as one
    """A database that exists inside the block, empty or a copy of `template`."""

    def __init__(self, url: str, template: str | None = None) -> None:
        self._url = url
        self._template = f'TEMPLATE "{template}"' if template else ""
        self._name = f"metergraph_test_{secrets.token_hex(6)}"

    async def __aenter__(self) -> str:
        # A cluster is copied by copying its databases, which have the same name on every node.
        for node in (self._url, *cluster.WORKERS):
            await cluster.execute(node, f'CREATE DATABASE "{self._name}" {self._template}')
        if cluster.WORKERS and not self._template:
            await cluster.connect_nodes(self._url, self._name)
        return self._name

    async def __aexit__(self, *_exception: object) -> None:
        for node in (self._url, *cluster.WORKERS):
            await cluster.execute(node, f'DROP DATABASE "{self._name}" WITH (FORCE)')
