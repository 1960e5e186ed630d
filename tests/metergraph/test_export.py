"""`metergraph export`: read back by other means, its files have every event once."""

import gc
import io
import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.export import events as events_module
from metering.export.events import EventsMissingError, read_log
from metering.export.formats import WRITERS, Kind, ParquetMissingError, ParquetWriter
from metering.language.aggregations import AggregationFunction
from metering.live.timelines import begin_timeline
from metering.usage.windows import Interval, Window, windows
from models import EventLog, Organization, exact_json
from tests.faults.exactness import stored_events
from tests.ingesting import NOON, catch_up_all, drain, meter_of, send
from tests.metergraph.running import RunMetergraph
from tests.reference.aggregations import aggregate
from tests.reference.carried import carried
from tests.reference.values import parse_json

PROJECT = Path(__file__).parents[2]


def odd_events(first: int, count: int) -> list[dict[str, Any]]:
    """Events of a few customers, with numbers that floats would change."""
    return [
        {
            "externalId": f"e{number}",
            "externalCustomerId": f"c{number % 3}",
            "timestamp": NOON + timedelta(hours=7 * number, microseconds=number),
            "metadata": {"tokens": Decimal(f"{number}.10000000000000000001"), "text": "ß\n,'\""},
        }
        for number in range(first, first + count)
    ]


def of_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]


def of_table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return [{**row, "metadata": exact_json.loads(row["metadata"])} for row in rows]


READ = {"ndjson": of_lines, "parquet": of_table}


def instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


@pytest.mark.parametrize("ending", READ)
async def test_a_folder_gets_every_event_once_whatever_arrives_between_exports(
    run_metergraph: RunMetergraph, organization: Organization, tmp_path: Path, ending: str
) -> None:
    folder = tmp_path / "warehouse"
    export = ("export", "events", "--organization", organization.slug)
    nightly = (*export, "--directory", str(folder), "--format", ending)
    for night in range(3):
        for batch in range(2):
            await send(organization.id, *odd_events(20 * night + 10 * batch, 7))
        await drain(organization.id)
        await send(organization.id, *odd_events(20 * night + 17, 2))  # not counted yet
        code, printed = await run_metergraph(*nightly)
        assert code == 0, printed
    await drain(organization.id)
    assert (await run_metergraph(*nightly))[0] == 0
    code, printed = await run_metergraph(*nightly)
    assert (code, "There are no new events." in printed) == (0, True)

    found = [row for path in sorted(folder.iterdir()) for row in READ[ending](path)]
    expected = {event.external_id: event for event in await stored_events(organization.id)}
    assert len(list(folder.iterdir())) == 4
    assert Counter(row["external_id"] for row in found) == Counter(expected.keys())
    assert [row["position"] for row in found] == sorted(row["position"] for row in found)
    for row in found:
        event = expected[row["external_id"]]
        assert row["position"] == event.position
        assert instant(row["timestamp"]) == event.plain["timestamp"]
        assert row["customer_external_id"] == f"c{int(row['external_id'][1:]) % 3}"
        assert parse_json(exact_json.dumps(row["metadata"])) == event.plain["metadata"]


async def test_an_export_prints_where_the_next_one_goes_on(
    run_metergraph: RunMetergraph, organization: Organization, tmp_path: Path
) -> None:
    await send(organization.id, *odd_events(0, 3))
    await drain(organization.id)
    export = ("export", "events", "--organization", organization.slug)
    code, printed = await run_metergraph(*export)
    assert code == 0
    place = printed.split("--after ")[1].split()[0]
    await send(organization.id, *odd_events(3, 2))
    await drain(organization.id)
    path = tmp_path / "rest.ndjson"
    assert (await run_metergraph(*export, "--after", place, "--output", str(path)))[0] == 0
    assert [row["external_id"] for row in of_lines(path)] == ["e3", "e4"]
    again = await run_metergraph(*export, "--output", str(path))
    assert again == (1, f"Error: {path} exists already.\n")
    assert len(of_lines(path)) == 2


async def test_positions_that_a_restore_has_undone_are_refused(
    run_metergraph: RunMetergraph,
    organization: Organization,
    tmp_path: Path,
    fresh_database: BaseDBAsyncClient,
) -> None:
    folder = str(tmp_path / "warehouse")
    nightly = ("export", "events", "--organization", organization.slug, "--directory", folder)
    await send(organization.id, *odd_events(0, 1))
    await drain(organization.id)
    backup = await EventLog.get(organization_id=organization.id)
    await send(organization.id, *odd_events(1, 1))
    await drain(organization.id)
    assert (await run_metergraph(*nightly))[0] == 0
    after = await EventLog.get(organization_id=organization.id)
    await EventLog.filter(organization_id=organization.id).update(head=backup.head)
    async with in_transaction() as connection:
        await begin_timeline(connection, None)
    await EventLog.filter(organization_id=organization.id).update(head=after.head)

    code, printed = await run_metergraph(*nightly)

    assert code == 1
    assert "Position 2 is not one of this organization's log." in printed


async def test_a_piece_is_never_larger_than_allowed(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "PIECE", 4)
    monkeypatch.setattr(events_module, "_BATCHES", 2)
    sizes = (1, 2, 9, 4, 1, 1, 1, 8, 3)
    sent = 0
    for size in sizes:
        await send(organization.id, *odd_events(sent, size))
        sent += size
    await drain(organization.id)
    pieces = [piece async for piece in read_log(organization.id, 0, len(sizes))]
    assert max(map(len, pieces)) <= 4
    assert [row["external_id"] for piece in pieces for row in piece] == [
        event.external_id
        for event in sorted(
            await stored_events(organization.id), key=lambda e: (e.position or 0, e.plain["id"])
        )
    ]
    window = Window(NOON + timedelta(hours=14), NOON + timedelta(hours=35))
    within = [row async for piece in read_log(organization.id, 0, 9, window) for row in piece]
    assert [row["external_id"] for row in within] == ["e2", "e3", "e4"]


async def test_events_that_are_gone_are_not_left_out_silently(
    organization: Organization, database: BaseDBAsyncClient
) -> None:
    await send(organization.id, *odd_events(0, 3))
    await drain(organization.id)
    await database.execute_query(
        "DELETE FROM event WHERE organization_id = $1 AND external_id = 'e1'", [organization.id]
    )
    with pytest.raises(EventsMissingError, match=r"1 events at positions 1 to 1 are not in"):
        [piece async for piece in read_log(organization.id, 0, 1)]


def test_an_export_that_is_killed_leaves_no_file_that_looks_whole(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from metering.export.files import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half')\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "events.ndjson"
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=PROJECT)
    assert killed.returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert (left.name[:15], left.suffix) == (".events.ndjson.", ".part")


@pytest.mark.parametrize("ending", WRITERS)
def test_an_export_that_fails_is_silent_about_it_and_does_not_look_whole(
    ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = io.BytesIO()

    def fail() -> None:
        with WRITERS[ending](file, {"name": Kind.TEXT}) as writer:
            writer.write([{"name": "a"}])
            raise EventsMissingError

    with pytest.raises(EventsMissingError):
        fail()
    gc.collect()  # abandoned writers of pyarrow complete their file
    assert file.getvalue() in (b"PAR1", b'{"name":"a"}\n')  # without a footer
    file.close()
    gc.collect()
    assert capfd.readouterr().err == ""


def test_parquet_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetMissingError, match=r"pip install pyarrow`"):
        ParquetWriter(io.BytesIO(), {"name": Kind.TEXT})


@pytest.mark.parametrize("function", AggregationFunction)
async def test_usage_is_what_the_reference_makes_of_the_events(
    run_metergraph: RunMetergraph,
    organization: Organization,
    tmp_path: Path,
    function: AggregationFunction,
) -> None:
    await send(organization.id, *odd_events(0, 30))
    await drain(organization.id)
    meter = await meter_of(organization.id, function)
    await catch_up_all(organization.id)
    path = tmp_path / "usage.parquet"
    code, printed = await run_metergraph(
        *("export", "usage", "--organization", organization.slug, "--output", str(path)),
        *("--start", "2026-03-02T10:10:10Z", "--end", "2026-03-08T00:00:00Z"),
        *("--timezone", "Europe/Paris"),
    )
    assert code == 0, printed
    start, end = datetime(2026, 3, 2, 10, 10, 10, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
    expected = {}
    groups: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for event in await stored_events(organization.id):
        if start <= event.plain["timestamp"] < end:
            day = event.plain["timestamp"].astimezone(ZoneInfo("Europe/Paris")).date()
            number = int(str(event.external_id)[1:])
            groups.setdefault((f"c{number % 3}", day), []).append(event.plain)
    if function is AggregationFunction.TIME_WEIGHTED:
        groups = {}
        for day in windows(start, end, Interval.DAY, ZoneInfo("Europe/Paris")):
            for number in range(3):
                own = [
                    event.plain
                    for event in await stored_events(organization.id)
                    if int(str(event.external_id)[1:]) % 3 == number
                ]
                used = carried(function, "tokens", own, *day)
                if used.quantity or used.matched > used.skipped:
                    date = day.start.astimezone(ZoneInfo("Europe/Paris")).date()
                    expected[f"c{number}", date] = used.quantity
    for group, its in groups.items():
        expected[group] = aggregate(function.value, "tokens", its).quantity
    rows = pq.read_table(path).to_pylist()
    found = {
        (
            row["customer_external_id"],
            row["start"].astimezone(ZoneInfo("Europe/Paris")).date(),
        ): Decimal(row["quantity"])
        for row in rows
    }
    assert found == expected
    assert len(rows) == len(found)
    assert {row["meter"] for row in rows} == {meter.name}
