"""Fixtures of every test: a real PostgreSQL and a real Redis, started once for the session.

Tests share one database and are kept apart by what keeps tenants apart: each asks for an
`organization` of its own. A test that needs tables to itself asks for `fresh_database` too,
and then runs in a new copy of the migrated template.

    async def test_something(database, redis, organization): ...

With METERGRAPH_TEST_DATABASE_URL (whose user may create databases) and METERGRAPH_TEST_REDIS_URL
set, the tests run on those servers. Their databases have names of their own and are dropped.

`--without-slow` skips the tests marked `slow`, and the summary says how many they are.

A property test tries the same examples every time, so that a change fails by what it changes: a
fifth of them in a quick run, all with `--hypothesis-profile thorough`, and random ones with
`--hypothesis-profile search`.
"""

import base64
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from tortoise.apps import Apps
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from config.settings import Settings, get_settings
from metergraph.database.opening import opened_database
from metergraph.embedded import embedded_servers
from metering.live.wakeup import open_queue
from models import Organization
from resolvers.schema import MetergraphSchema, create_schema
from tests.databases import (
    database_url,
    fresh_database_url,
    planning_database,
    shared_database_url,
    template_database,
)
from tests.distribution.judging import collector, judge, judged, statements_fit_a_cluster
from tests.graphql_client import api, application, http, other_api
from tests.metergraph.exposed import exposed
from tests.this_machine import no_connections_to_elsewhere
from transport import application as transport_application

__all__ = [  # fixtures
    "api",
    "application",
    "collector",
    "database_url",
    "exposed",
    "fresh_database_url",
    "http",
    "judge",
    "judged",
    "no_connections_to_elsewhere",
    "other_api",
    "planning_database",
    "shared_database_url",
    "statements_fit_a_cluster",
    "template_database",
]

hypothesis_settings.register_profile(
    "search",
    deadline=None,
    # Examples share a test's fixtures: the servers, and an organization to write into.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
hypothesis_settings.register_profile(
    "thorough", hypothesis_settings.get_profile("search"), derandomize=True
)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("thorough"))
hypothesis_settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option of `make test`."""
    parser.addoption("--without-slow", action="store_true", help="skip the tests marked slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips the tests marked slow where the option says so; files with servers or Node.js go first.

    Their tests wait for long, so at the end one process would be left with a few of them.
    """
    if config.getoption("--without-slow"):
        for item in items:
            if item.get_closest_marker("slow") is not None:
                item.add_marker(pytest.mark.skip(reason="slow; `make test-all` runs it"))
    long = {
        item.path
        for item in items
        if any(item.get_closest_marker(name) for name in ("servers", "contract"))
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer() -> Iterator[None]:
    """A developer's own METERGRAPH_ variables do not reach the tests, which have a secret key."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("METERGRAPH_") and not name.startswith("METERGRAPH_TEST_"):
                patch.delenv(name)
        patch.setenv("METERGRAPH_SECRET_KEY", base64.b64encode(secrets.token_bytes(32)).decode())
        get_settings.cache_clear()
        yield
        get_settings.cache_clear()


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str | None], None]]:
    """Sets a variable of the environment, or removes it, and reads the settings again."""

    def change(name: str, value: str | None) -> None:
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    yield change
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _one_schema_for_all_applications() -> Iterator[None]:
    """Applications of the same limits share a schema, which takes longer to make than a test."""
    made: dict[object, MetergraphSchema] = {}

    def shared(settings: Settings, listed: frozenset[str] | None) -> MetergraphSchema:
        key = (
            settings.max_query_cost,
            settings.max_query_depth,
            settings.max_query_tokens,
            settings.introspection,
            listed,
        )
        if key not in made:
            made[key] = create_schema(settings, listed)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport_application, "create_schema", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_prepared_once() -> Iterator[None]:
    """Tortoise prepares the models for queries once, instead of whenever a test opens a database.

    The result is the same for every database of the same kind.
    """
    prepare = Apps._build_initial_querysets  # noqa: SLF001  # it has no public name
    is_done = False

    def once(apps: Apps) -> None:
        nonlocal is_done
        if not is_done:
            prepare(apps)
            is_done = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Apps, "_build_initial_querysets", once)
        yield


@pytest.fixture(scope="session")
def reachable_dir() -> Iterator[Path]:
    """A directory that embedded servers reach also when we are root and they are not.

    pytest keeps its own to the user alone, and sets that anew whenever another pytest starts.
    """
    directory = Path(tempfile.mkdtemp(prefix="metergraph-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(reachable_dir: Path) -> Iterator[tuple[str, str]]:
    """The URLs of PostgreSQL and Redis for this session."""
    database_url = os.environ.get("METERGRAPH_TEST_DATABASE_URL")
    redis_url = os.environ.get("METERGRAPH_TEST_REDIS_URL")
    with embedded_servers(
        reachable_dir / "session",
        postgres=not database_url,
        redis=not redis_url,
        durable=False,
    ) as embedded:
        yield database_url or str(embedded.database_url), redis_url or str(embedded.redis_url)


@pytest.fixture
def settings(servers: tuple[str, str], database_url: str) -> Settings:
    """The settings of this test, for what takes settings."""
    return Settings(database_url=database_url, redis_url=servers[1])


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[BaseDBAsyncClient]:
    """Tortoise, open on this test's database; the value is its connection."""
    async with opened_database(settings, role="tests"):
        yield get_connection("default")


@pytest.fixture
def fresh_database(database: BaseDBAsyncClient) -> BaseDBAsyncClient:
    """As `database`, with empty tables that no other test sees."""
    return database


@pytest.fixture
async def redis(servers: tuple[str, str]) -> AsyncIterator[ArqRedis]:
    """Redis, emptied: the queue of arq, as the API and the workers open it."""
    client = open_queue(servers[1])
    await client.flushdb()
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture
async def organization(database: BaseDBAsyncClient) -> Organization:
    """A tenant of this test's own."""
    return await Organization.create(name="Test", slug=f"test-{secrets.token_hex(8)}")


@pytest.fixture
async def other_organization(database: BaseDBAsyncClient) -> Organization:
    """Another tenant, whose rows nobody of `organization` may see."""
    return await Organization.create(name="Other", slug=f"other-{secrets.token_hex(8)}")
