"""An API in a process of its own, which the tests of this folder share, and clients of it."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph_client import Metergraph, UndeliveredError
from models import Organization
from tests.api_process import Process, api_process
from tests.clients.faulty import FaultyProxy, faulty
from tests.clients.world import MakeClient, Told, World
from tests.serving import new_token


@pytest.fixture(scope="session")
def api_of_clients(servers: tuple[str, str], shared_database_url: str) -> Iterator[Process]:
    settings = Settings(database_url=shared_database_url, redis_url=servers[1])
    with api_process(settings, METERGRAPH_LOG_LEVEL="error") as process:
        yield process


@pytest.fixture
async def world(
    api_of_clients: Process, database: BaseDBAsyncClient, organization: Organization
) -> AsyncIterator[World]:
    world = World(api_of_clients, organization, await new_token(organization))
    yield world
    world.end_programs()


@pytest.fixture
def proxy(world: World) -> Iterator[FaultyProxy]:
    with faulty(world.url) as running:
        yield running


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def make_client(world: World, told: Told) -> Iterator[MakeClient]:
    """Makes clients that are closed after the test, and tell what they could not deliver."""
    made: list[Metergraph] = []

    def make(url: str | None = None, **settings: object) -> Metergraph:
        given = {
            "token": world.token,
            "linger_seconds": 0.01,
            "on_rejected": told.on_rejected,
            "on_undelivered": told.on_undelivered,
            **settings,
        }
        client = Metergraph(url or world.url, **given)  # type: ignore[arg-type]  # of any kind
        made.append(client)
        return client

    yield make
    for client in made:
        with contextlib.suppress(UndeliveredError):
            client.close(0)
