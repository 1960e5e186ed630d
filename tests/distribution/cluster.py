"""A Citus cluster to run the tests on, whose databases are copied with those of its coordinator.

METERGRAPH_TEST_CITUS_WORKERS has the URLs of its worker nodes, separated by commas, and
METERGRAPH_TEST_DATABASE_URL that of its coordinator. docs/scaling.md describes it.
"""

import os
from urllib.parse import urlsplit

import asyncpg

from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.database.distribution import distribute

VARIABLE = "METERGRAPH_TEST_CITUS_WORKERS"
WORKERS = tuple(url for url in os.environ.get(VARIABLE, "").split(",") if url)


async def execute(url: str, *statements: str) -> None:
    """Runs statements, each in a transaction of its own."""
    connection = await asyncpg.connect(**credentials(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def connect_nodes(url: str, name: str) -> None:
    """Makes one cluster of the databases called `name` on all nodes; `url` is the coordinator."""
    for node in (url, *WORKERS):
        await execute(named(node, name), "CREATE EXTENSION citus")
    coordinator, workers = urlsplit(url), [urlsplit(worker) for worker in WORKERS]
    await execute(
        named(url, name),
        f"SELECT citus_set_coordinator_host('{coordinator.hostname}', {coordinator.port})",
        *(f"SELECT citus_add_node('{node.hostname}', {node.port})" for node in workers),
        f'ALTER DATABASE "{name}" SET citus.shard_count = 4',
    )


async def distribute_template(url: str, name: str) -> None:
    """Distributes the tables of a database, and closes it on every node, so it can be copied."""
    await distribute(Settings(database_url=named(url, name)), lambda _table: None)
    for node in (url, *WORKERS):
        await execute(
            node,
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )


def named(url: str, name: str) -> str:
    """`url` with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
