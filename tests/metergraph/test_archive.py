"""`metergraph archive` and `restore-archive`: usage stays, and everything comes back as it was."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from config.settings import Settings
from metering.archive.rows import EVENT_COLUMNS
from metering.ingest.storing import ReceiptStatus
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import Meter, Organization
from tests.commands import environment_of
from tests.faults.exactness import create_meters
from tests.ingesting import catch_up_all, definition_of, drain, send
from tests.metergraph.running import RunMetergraph

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def odd_events(start: datetime, count: int) -> list[dict[str, Any]]:
    """Events of three customers every seven hours, with texts and numbers that are easily lost."""
    return [
        {
            "externalId": f"{start:%m-%H}-{number}" if number % 5 else None,
            "externalCustomerId": f"c{number % 3}",
            "name": "ai_usage" if number % 4 else "other",
            "timestamp": start + timedelta(hours=7 * number, microseconds=number),
            "metadata": {
                "tokens": Decimal(f"{number}.10000000000000000001"),
                "text": "ß\n,'\"\\",
                "model": "small" if number % 2 else "large",
                "deep": [{"a": None}, Decimal("1E+30")],
            },
        }
        for number in range(count)
    ]


async def history(organization: Organization) -> list[Meter]:
    """Meters that have counted January to April."""
    meters = await create_meters(organization.id)
    for start in (FEBRUARY - timedelta(days=31), FEBRUARY, MARCH, APRIL):
        for events in (odd_events(start, 40), odd_events(start + timedelta(hours=1), 20)):
            receipts = await send(organization.id, *events)
            assert {receipt.status for receipt in receipts} == {ReceiptStatus.INSERTED}, receipts[0]
        await drain(organization.id)
    await catch_up_all(organization.id)
    return meters


async def rows_of(database: BaseDBAsyncClient, table: str, key: str = "1") -> list[Any]:
    """All of a table."""
    return [
        dict(row)
        for row in await database.execute_query_dict(f"SELECT * FROM {table} ORDER BY {key}")
    ]


async def numbers(meters: list[Meter], start: datetime, end: datetime) -> list[Any]:
    """What every meter counts between two instants."""
    found = []
    for meter in meters:
        definition = await definition_of(meter)
        found.append(await usage(get_connection("default"), definition, [Window(start, end)]))
    return found


async def test_what_is_archived_and_restored_is_as_it_was(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    other_organization: Organization,
    run_metergraph: RunMetergraph,
    tmp_path: Path,
) -> None:
    own = await history(organization)
    meters = own + await history(other_organization)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    events = await rows_of(fresh_database, "event", "id")
    buckets = await rows_of(fresh_database, "usage_bucket", "meter_id, customer_id, bucket")
    counted = await numbers(meters, start, end)
    odd = await numbers(meters, start + timedelta(minutes=7), end)

    folder = tmp_path / "archive"
    archive = ("archive", "--before", "2026-03-15", "--to", str(folder))
    code, printed = await run_metergraph(*archive, "--dry-run")
    assert (code, folder.exists()) == (0, False), printed
    assert "2026-01: 120 events" in printed
    code, printed = await run_metergraph(*archive)
    assert code == 0, printed

    assert sorted(path.name for path in folder.iterdir()) == ["2026-01", "2026-02"]
    left = await rows_of(fresh_database, "event", "id")
    assert left == [row for row in events if row["timestamp"] >= MARCH]
    assert await numbers(meters, start, end) == counted
    manifest = json.loads((folder / "2026-01" / "manifest.json").read_bytes())
    assert manifest["events"] == 120
    [file] = [each for each in manifest["files"] if each["organization"] == organization.slug]
    rows = pq.read_table(folder / "2026-01" / file["file"]).to_pylist()
    expected = [
        row
        for row in events
        if row["timestamp"] < FEBRUARY and row["organization_id"] == organization.id
    ]
    assert sorted(UUID(row["id"]) for row in rows) == [row["id"] for row in expected]
    assert len(rows) == file["events"] == 60
    of_january = await numbers(own, start, FEBRUARY)
    assert [meter["events"] for meter in file["meters"]] == [
        used.total.counted for used in of_january
    ]

    code, printed = await run_metergraph(*archive)
    assert (code, "nothing to archive" in printed) == (0, True), printed
    code, printed = await run_metergraph("restore-archive", str(folder))
    assert code == 0, printed
    assert await rows_of(fresh_database, "event", "id") == events
    assert await rows_of(fresh_database, "usage_bucket", "meter_id, customer_id, bucket") == buckets
    assert await numbers(meters, start + timedelta(minutes=7), end) == odd
    for table in ("archived_month", "archived_events", "kept_event", "kept_edge"):
        assert await rows_of(fresh_database, table) == []


_KILLED = """
import os, signal, sys
from metering.archive import archiving

async def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(archiving, sys.argv.pop(1), killed)
from metergraph.cli import main
main()
"""


@pytest.mark.parametrize("step", ["write_month", "_conclude", "drop"])
async def test_a_command_that_is_killed_is_run_again(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    settings: Settings,
    run_metergraph: RunMetergraph,
    tmp_path: Path,
    step: str,
) -> None:
    await send(organization.id, *odd_events(FEBRUARY, 9))
    await drain(organization.id)
    events = await rows_of(fresh_database, "event", "id")
    archive = ("archive", "--before", "2026-03-01", "--to", str(tmp_path / "archive"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _KILLED, step, *archive),
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment_of(settings)},
    )
    assert await process.wait() == -signal.SIGKILL
    code, printed = await run_metergraph(*archive)
    assert code == 0, printed
    assert await rows_of(fresh_database, "event") == []
    code, printed = await run_metergraph("restore-archive", str(tmp_path / "archive"))
    assert (code, "2026-02: 9 events are back." in printed) == (0, True), printed
    assert await rows_of(fresh_database, "event", "id") == events
    entries = await rows_of(fresh_database, "audit_entry", "id")
    assert [entry["action"].split()[-1] for entry in entries] == ["archive", "restore-archive"]


async def test_mistakes_are_sentences(
    fresh_database: BaseDBAsyncClient, run_metergraph: RunMetergraph, tmp_path: Path
) -> None:
    for arguments, said in (
        (("archive", "--before", "2999-01-01", "--to", str(tmp_path)), "--before is in the future"),
        (("archive", "--before", "soon", "--to", str(tmp_path)), "'soon'"),
        (("restore-archive", str(tmp_path / "nowhere")), "does not exist"),
        (("restore-archive", str(tmp_path), "--month", "2026-01"), "2026-01 is not archived."),
    ):
        code, printed = await run_metergraph(*arguments)
        assert code != 0
        assert said in printed
        assert "Traceback" not in printed


async def test_files_have_every_column_of_events(fresh_database: BaseDBAsyncClient) -> None:
    """A column that is added to `event` has to be archived and kept, too."""
    [row] = await fresh_database.execute_query_dict(
        """
        SELECT array_agg(attname::text) FILTER (WHERE attrelid = 'event'::regclass) AS stored,
               array_agg(attname::text) FILTER (WHERE attrelid = 'kept_event'::regclass) AS kept
        FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
        """
    )
    assert set(row["stored"]) == {*EVENT_COLUMNS, "organization_id"} == set(row["kept"])
