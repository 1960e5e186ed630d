"""Importing a changed file again inserts only what is new."""

from pathlib import Path

import pytest

from models import Event, Organization
from tests.metergraph.running import RunImport

MAPPING = (
    *("--name", "call", "--customer", "{who}", "--timestamp", "{at}"),
    *("--number", "tokens={tokens}"),
)
HEADER = "at,who,tokens,request"
ROWS = (
    "2026-10-05T09:15:00Z,acme,10,r1",
    "2026-10-05T09:15:01Z,acme,20,r2",
    "2026-10-05T09:15:02Z,globex,30,r3",
)
BEFORE = "2026-10-05T09:14:00Z,globex,5,r0"
CORRECTED = "2026-10-05T09:15:01Z,acme,21,r2"


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


async def tokens(organization: Organization) -> list[int]:
    events = await Event.filter(organization_id=organization.id)
    return sorted(event.metadata["tokens"] for event in events)


@pytest.mark.parametrize(
    ("changed", "inserted", "stored"),
    [
        ([*ROWS, BEFORE], 1, 3),
        ([ROWS[0], BEFORE, *ROWS[1:]], 1, 3),
        ([ROWS[2], ROWS[0], ROWS[1]], 0, 3),
        ([ROWS[0], ROWS[2]], 0, 2),
        ([ROWS[0], CORRECTED, ROWS[2]], 1, 2),
        ([ROWS[0], ROWS[0], ROWS[1], ROWS[2], ROWS[0]], 2, 3),
    ],
    ids=["appended", "inserted", "reordered", "removed", "corrected", "repeated"],
)
async def test_only_rows_that_are_new_are_inserted(
    run_import: RunImport, tmp_path: Path, changed: list[str], inserted: int, stored: int
) -> None:
    assert (await run_import(written(tmp_path / "a.csv", HEADER, *ROWS), *MAPPING)).code == 0
    path = written(tmp_path / "b.csv", HEADER, *changed)
    result = await run_import(path, *MAPPING)
    assert result.out.endswith(f": {inserted} inserted, {stored} stored already, 0 refused.\n")
    again = await run_import(path, *MAPPING, "--batch-size", 1)
    assert again.out.endswith(f": 0 inserted, {len(changed)} stored already, 0 refused.\n")


async def test_rows_that_are_alike_are_as_many_events(
    organization: Organization, run_import: RunImport, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", HEADER, *[ROWS[0]] * 5)
    assert (await run_import(path, *MAPPING)).code == 0
    assert await tokens(organization) == [10] * 5


async def test_columns_that_the_event_does_not_use_change_nothing(
    run_import: RunImport, tmp_path: Path
) -> None:
    assert (await run_import(written(tmp_path / "a.csv", HEADER, *ROWS), *MAPPING)).code == 0
    turned = [",".join([*reversed(row.split(",")), "noted"]) for row in ROWS]
    path = written(tmp_path / "b.csv", "request,tokens,who,at,note", *turned)
    result = await run_import(path, *MAPPING)
    assert result.out.endswith(": 0 inserted, 3 stored already, 0 refused.\n")


async def test_json_that_is_spelled_otherwise_is_the_same_event(
    organization: Organization, run_import: RunImport, tmp_path: Path
) -> None:
    one = written(
        tmp_path / "a.ndjson",
        '{"name":"call","externalCustomerId":"c","timestamp":"2026-01-01T00:00:00Z",'
        '"metadata":{"a":{"x":1,"y":[1.50,true]},"tokens":100}}',
        '{"name":"call","externalCustomerId":"c","metadata":{"tokens":1}}',
        '{"name":"call","externalCustomerId":"c","metadata":{"tokens":"1"}}',
    )
    assert (await run_import(one)).out.endswith(": 3 inserted, 0 stored already, 0 refused.\n")
    other = written(
        tmp_path / "b.ndjson",
        '{"metadata": {"tokens": "1"}, "externalCustomerId": "c", "name": "call"}',
        "",
        '{ "metadata" : {"tokens" : 1e2, "a": {"y": [1.5, true], "x": 1.0}},'
        ' "timestamp" : "2026-01-01T01:00:00+01:00", "externalCustomerId":"c","name":"call" }',
        '{"name": "call", "externalCustomerId": "c", "metadata": {"tokens": 1.00}}',
    )
    assert (await run_import(other)).out.endswith(": 0 inserted, 3 stored already, 0 refused.\n")
    assert await Event.filter(organization_id=organization.id).count() == 3


async def test_with_an_external_id_a_corrected_row_is_a_conflict(
    organization: Organization, run_import: RunImport, tmp_path: Path
) -> None:
    mapping = (*MAPPING, "--external-id", "{request}")
    assert (await run_import(written(tmp_path / "a.csv", HEADER, *ROWS), *mapping)).code == 0
    path = written(tmp_path / "b.csv", HEADER, BEFORE, ROWS[0], CORRECTED, ROWS[2])
    result = await run_import(path, *mapping)
    assert result.code == 1
    assert result.out.endswith(": 1 inserted, 2 stored already, 1 refused.\n")
    assert "line 4: Another event has this externalId; it differs in metadata." in result.err
    assert await tokens(organization) == [5, 10, 20, 30]


async def test_another_mapping_makes_other_events(run_import: RunImport, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER, *ROWS)
    assert (await run_import(path, *MAPPING)).code == 0
    for more in (("--name", "another"), ("--text", "request={request}"), ("--prefix", "another")):
        result = await run_import(path, *MAPPING, *more)
        assert result.out.endswith(": 3 inserted, 0 stored already, 0 refused.\n")


async def test_rows_without_an_instant_may_be_of_another_file(
    run_import: RunImport, tmp_path: Path
) -> None:
    mapping = ("--name", "seats", "--customer", "{who}", "--number", "tokens={tokens}")
    october = written(tmp_path / "10.csv", "who,tokens", "acme,10", "globex,20")
    november = written(tmp_path / "11.csv", "who,tokens", "acme,10", "globex,21")
    assert "Note:" not in (await run_import(october, *mapping)).err
    result = await run_import(november, *mapping)
    assert result.out.endswith(": 1 inserted, 1 stored already, 0 refused.\n")
    assert (
        "Note: a row without a timestamp counts as the same event as an equal row of another "
        "file. If these are different events, give each file its own --prefix.\n"
    ) in result.err
    result = await run_import(november, *mapping, "--prefix", "2026-11")
    assert result.out.endswith(": 2 inserted, 0 stored already, 0 refused.\n")
    assert "Note:" not in result.err


@pytest.mark.parametrize(("prefix", "fault"), [("", "is empty"), ("x" * 201, "1 to 200")])
async def test_a_prefix_that_no_external_id_can_have_is_refused(
    run_import: RunImport, tmp_path: Path, prefix: str, fault: str
) -> None:
    path = written(tmp_path / "a.csv", HEADER, *ROWS)
    result = await run_import(path, *MAPPING, "--prefix", prefix)
    assert result.code == 2
    assert "--prefix" in result.err
    assert fault in result.err


async def test_a_row_without_its_customer_says_which_column_is_empty(
    run_import: RunImport, tmp_path: Path
) -> None:
    blank = ("2026-10-05T09:15:00Z,,1,r9", "2026-10-05T09:15:00Z,  ,1,r9")
    path = written(tmp_path / "a.csv", HEADER, *ROWS, *blank)
    result = await run_import(path, *MAPPING)
    assert result.code == 1
    assert "line 5: has no customer: the column who is empty\n" in result.err
    assert "line 6: has no customer: the column who is empty\n" in result.err
    nameless = written(tmp_path / "b.csv", HEADER, "2026-10-05T09:15:00Z,,1,r9")
    result = await run_import(nameless, "--name", "{who}", "--customer", "c")
    assert "line 2: has no name: the column who is empty\n" in result.err
