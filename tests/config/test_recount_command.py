"""`metergraph recount`: tries anew what could not be counted, and says what became of it."""

import asyncio
import os
import sys
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metering.aggregations import AggregationFunction
from metering.meters import archive_meter
from models import Organization
from tests.ingesting import catch_up_all, drain, send, usages
from tests.metering.test_isolation import POISON, consumed, meter_of, refuse_poison

PROJECT = Path(__file__).parents[2]


async def recount(settings: Settings, folder: Path) -> tuple[int, str]:
    """The exit code, and what is printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "config", "recount"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "METERGRAPH_DATABASE_URL": str(settings.database_url),
            "METERGRAPH_REDIS_URL": str(settings.redis_url),
        },
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def test_events_are_counted_once_they_can_be(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    settings: Settings,
    tmp_path: Path,
) -> None:
    async def unused(*_arguments: object) -> bool:
        return False

    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    archived = await meter_of(organization, AggregationFunction.MAXIMUM)
    await send(organization.id, *usages([1, POISON]))
    await drain(organization.id)
    await catch_up_all(organization.id)
    await archive_meter(organization.id, archived.id, unused)
    left = "1 meters are archived or behind, and were left as they are."

    code, printed = await recount(settings, tmp_path)
    assert (code, printed.splitlines()) == (0, ["0 events counted, 1 still cannot be.", left])
    await fresh_database.execute_script("DROP TRIGGER refuse ON usage_bucket")
    code, printed = await recount(settings, tmp_path)
    # After what was logged.
    assert code == 0
    assert printed.splitlines()[-2:] == ["1 events counted, 0 still cannot be.", left]
    assert await consumed(total) == 1 + POISON
