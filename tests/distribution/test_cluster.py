"""The tables of a cluster, if the tests run on one."""

import asyncpg
import pytest

from config.settings import Settings
from metergraph.database.database_url import credentials
from metergraph.database.distribution import (
    Distribution,
    distribute,
    distribution_of,
    tables,
)
from tests.distribution.cluster import VARIABLE, WORKERS

pytestmark = pytest.mark.skipif(not WORKERS, reason=f"needs a Citus cluster ({VARIABLE})")


async def test_every_table_is_distributed_and_distributing_again_changes_nothing(
    settings: Settings,
) -> None:
    assert await distribution_of(settings) is Distribution.DISTRIBUTED
    assert await distribute(settings, lambda _table: None) == []
    connection = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        rows = await connection.fetch(
            "SELECT logicalrelid::regclass::text AS name, partmethod = 'n' AS is_reference,"
            " colocationid FROM pg_dist_partition"
        )
        found = {row["name"]: row for row in rows}
        wanted = await tables(connection)
    finally:
        await connection.close()
    assert {table.name for table in wanted} <= found.keys()
    for table in wanted:
        assert found[table.name]["is_reference"] is table.is_reference
    together = {found[table.name]["colocationid"] for table in wanted if not table.is_reference}
    assert len(together) == 1
