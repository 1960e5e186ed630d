"""Mistakes with `metergraph import`: what is reported, and what is imported all the same."""

from pathlib import Path

import pytest

from models import Event, Organization
from models.exact_json import dumps
from tests.metergraph.running import MAPPING, ROWS, RunImport

HUGE = "1e100000000"  # a hundred megabytes, once it is written out
EVENT = '{"name": "a", "externalCustomerId": "c", %s}'
# Lines of a file, and what the report of each names; None: nothing is wrong with it.
LINES = [
    (EVENT % '"metadata": {}', None),
    (EVENT % '"timestamp": "2026-01-01T00:00:00"', "--assume-utc"),
    (EVENT % '"timestamp": "9000-01-01T00:00:00Z"', "timestamp"),
    (EVENT % '"externalId": "own"', None),
    (EVENT % '"externalId": "own", "metadata": {"n": 1}', "externalId"),
    (EVENT % '"color": "red"', "color"),
    ('{"externalCustomerId": "c"}', "name"),
    ("{broken", "JSON"),
    *((EVENT % f'"metadata": {{"n": {n}}}', "metadata.n ") for n in ("1e40", HUGE, "1" * 5_000)),
    (EVENT % f'"metadata": {{"n": [{HUGE}]}}', "metadata.n.0 "),
    (EVENT % '"metadata": {"n": 1, "n": 100}', "'metadata' has the key 'n'"),
    (EVENT % '"metadata": {"a": [{"n": 1, "n": 100}]}', "'metadata.a.0' has the key 'n'"),
    (EVENT % '"name": "b"', "the key 'name'"),
]
COLUMNS = [
    ("1,{}", None),
    ("x,{}", "n: 'x'"),
    (f"{HUGE},{{}}", f"n: {HUGE!r}"),
    (f"{'1' * 5_000},{{}}", "n: '111"),
    (f"[{HUGE}],{{}}", f"n: '[{HUGE}]'"),
    ('1,"{""a"": 1, ""a"": 2}"', "j: "),
]


@pytest.mark.parametrize(
    ("name", "header", "rows", "mapping"),
    [
        ("lines.ndjson", "", LINES, ()),
        (
            "mapped.ndjson",
            "",
            [(f'{{"n": {HUGE}}}', "n "), (f'{{"n": [{HUGE}]}}', "n "), ('{"n": 1}', None)],
            ("--name", "a", "--customer", "c", "--text", "n={n}"),
        ),
        (
            "columns.csv",
            "n,j",
            COLUMNS,
            ("--name", "a", "--customer", "c", "--number", "n={n}", "--json", "j={j}"),
        ),
    ],
    ids=lambda value: value if str(value).endswith(("json", "csv")) else "",
)
async def test_bad_rows_are_reported_with_their_lines_and_the_others_are_imported(
    organization: Organization,
    run_import: RunImport,
    tmp_path: Path,
    name: str,
    header: str,
    rows: list[tuple[str, str | None]],
    mapping: tuple[str, ...],
) -> None:
    path = tmp_path / name
    path.write_text("\n".join([header, *(text for text, _culprit in rows), ""]))
    result = await run_import(path, *mapping)
    culprits = {f"line {n}": culprit for n, (_text, culprit) in enumerate(rows, 2) if culprit}
    good = len(rows) - len(culprits)
    assert result.code == 1
    assert result.out.endswith(f": {good} inserted, 0 stored already, {len(culprits)} refused.\n")
    *reports, _last = result.err.splitlines()
    told = dict(line.split(": ", 1) for line in reports)
    assert told.keys() == culprits.keys()
    for line, culprit in culprits.items():
        assert culprit in told[line]
        assert len(told[line]) < 300
    assert await Event.filter(organization_id=organization.id).count() == good


async def test_fail_fast_stops_at_the_first_bad_row(run_import: RunImport, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("who,n\na,1\na,x\na,y\n")
    result = await run_import(
        path, "--name", "n", "--customer", "{who}", "--number", "n={n}", "--fail-fast"
    )
    assert result.code == 1
    assert result.err == (
        "line 3: n: 'x' is not a number\nError: Stopped at line 3 because of --fail-fast.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (("{file}", "--name", "n"), "--customer"),
        (("{file}", "--name", "{Nmae}", "--customer", "c"), "Nmae"),
        (("{file}", "--name", "{x"), "brace"),
        (("{file}", "--number", "x"), "'x'"),
        (("{file}", "--delimiter", "::"), "--delimiter"),
        (("missing.csv",), "'missing.csv'"),
        ((__file__,), "--format"),
    ],
)
async def test_invalid_options_are_refused_before_anything_is_sent(
    run_import: RunImport, invocations: Path, arguments: tuple[str, ...], culprit: str
) -> None:
    result = await run_import(
        *(invocations if argument == "{file}" else argument for argument in arguments)
    )
    assert result.code == 2
    assert culprit in result.err


async def test_many_different_problems_are_summarized_and_written_to_a_file(
    run_import: RunImport, tmp_path: Path
) -> None:
    path, refused = tmp_path / "rows.ndjson", tmp_path / "refused.txt"
    event = {"name": "a", "externalCustomerId": "c"}
    path.write_text("\n".join(dumps({**event, "x" * number: 1}) for number in range(1, 101)))
    result = await run_import(path, "--refused", refused)
    *told, more, _last = result.err.splitlines()
    assert len(told) == 20
    assert more.startswith("80 more rows")
    assert len(refused.read_text().splitlines()) == 100


async def test_a_problem_of_every_row_is_summarized(
    run_import: RunImport, invocations: Path, tmp_path: Path
) -> None:
    refused = tmp_path / "refused.txt"
    result = await run_import(
        *(invocations, "--name", "n", "--customer", "c", "--number", "when={TIMESTAMP}"),
        *("--refused", refused),
    )
    assert result.code == 1
    assert result.out.endswith(": 0 inserted, 0 stored already, 2,345 refused.\n")
    *told, more, last = result.err.splitlines()
    assert [line.partition(":")[0] for line in told] == [f"line {n}" for n in range(2, 7)]
    assert all(line.endswith("' is not a number") for line in told)
    assert more == "2,340 more rows: as line 2"
    assert last == "Error: 2,345 rows were refused; see above."
    assert len(refused.read_text().splitlines()) == ROWS


@pytest.mark.parametrize(
    ("arguments", "code", "culprit"),
    [
        (("--name", "{evnt}", "--customer", "{who}"), 2, " evnt"),
        (("--name", "{event}", "--customer", "{who}", "--number", "n={count}"), 0, " count"),
        (("--number", "n={n}"), 2, "--name"),
    ],
)
async def test_an_unknown_field_is_reported(
    run_import: RunImport, tmp_path: Path, arguments: tuple[str, ...], code: int, culprit: str
) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text('{"event": "a", "who": "c"}\n{"event": "a", "who": "d", "n": 1}\n')
    result = await run_import(path, *arguments)
    assert result.code == code
    assert culprit in result.err


async def test_a_wrong_token_is_reported(run_import: RunImport, invocations: Path) -> None:
    result = await run_import(invocations, *MAPPING, METERGRAPH_TOKEN="mg_wrong")
    assert result.code == 1
    assert result.err.startswith("Error: The API refused the request: ")
    assert "mg_wrong" not in result.err
