"""Mistakes with `metergraph import`: what is reported, and what is imported all the same."""

from decimal import Decimal
from pathlib import Path

import pytest

from models import Event, Organization
from models.exact_json import dumps
from tests.metergraph.running import MAPPING, ROWS, RunImport


async def test_bad_rows_are_reported_with_their_lines_and_the_others_are_imported(
    organization: Organization, run_import: RunImport, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.ndjson"
    good = {"name": "a", "externalCustomerId": "c"}
    rows = [
        good,
        {**good, "timestamp": "2026-01-01T00:00:00"},
        {**good, "metadata": {"n": Decimal("1e40")}},
        {**good, "externalId": "own"},
        {**good, "externalId": "own", "name": "another"},
        {**good, "timestamp": "9000-01-01T00:00:00Z"},
        {**good, "color": "red"},
        {"externalCustomerId": "c"},
    ]
    path.write_text("\n".join(["", *map(dumps, rows), "{broken", ""]))
    result = await run_import(path)
    assert result.code == 1
    assert result.out.endswith(": 2 inserted, 0 stored already, 7 refused.\n")
    *bad_rows, last = result.err.splitlines()
    assert last == "Error: 7 rows were refused; see above."
    assert dict(line.split(": ", 1) for line in bad_rows) == {
        "line 3": "timestamp has no offset: end it with Z or with one such as +02:00. "
        "Use --assume-utc if it is in UTC.",
        "line 4": "metadata.n is a number outside the limits: at most 38 significant digits, "
        "a decimal exponent within ±30.",
        "line 6": "Another event holds this externalId; it differs in name.",
        "line 7": "timestamp is more than 5 minutes ahead of now.",
        "line 8": "color: an event has no such field",
        "line 9": "the event has no name",
        "line 10": "is not JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)",
    }
    assert await Event.filter(organization_id=organization.id).count() == 2


HUGE = "1e100000000"  # a hundred megabytes, once it is written out


async def test_huge_numbers_are_refused(run_import: RunImport, tmp_path: Path) -> None:
    path = tmp_path / "huge.ndjson"
    event = '{"name": "a", "externalCustomerId": "c", "metadata": %s}'
    numbers = (HUGE, "1" * 5_000, "0." + "1" * 100_000, f"[{HUGE}]")
    path.write_text("\n".join(event % f'{{"n": {number}}}' for number in numbers))
    result = await run_import(path)
    outside = "is a number outside the limits: at most 38 significant digits, a decimal exponent"
    assert result.out.endswith(": 0 inserted, 0 stored already, 4 refused.\n")
    assert result.err.count(f"metadata.n {outside} within ±30.") == 3
    assert result.err.count(f"metadata.n.0 {outside} within ±30.") == 1


async def test_huge_numbers_are_refused_in_mapped_columns(
    run_import: RunImport, tmp_path: Path
) -> None:
    as_json, as_csv = tmp_path / "huge.ndjson", tmp_path / "huge.csv"
    as_json.write_text(f'{{"n": {HUGE}}}\n{{"n": [{HUGE}]}}\n')
    as_csv.write_text(f"n\n{HUGE}\n{'1' * 5_000}\n[{HUGE}]\n")
    to_event = ("--name", "a", "--customer", "c")
    result = await run_import(as_json, *to_event, "--text", "n={n}")
    message = "n has a number that is too large, or a lone surrogate"
    assert result.err.splitlines()[:2] == [f"line 1: {message}", f"line 2: {message}"]
    result = await run_import(as_csv, *to_event, "--number", "n={n}")
    assert result.err.splitlines()[:3] == [
        f"line 2: n: {HUGE!r} is a number that is too large or too small",
        f"line 3: n: '{'1' * 60}…' is a number that is too large or too small",
        f"line 4: n: '[{HUGE}]' is not a number",
    ]


async def test_a_repeated_key_refuses_its_row(run_import: RunImport, tmp_path: Path) -> None:
    as_json, as_csv = tmp_path / "twice.ndjson", tmp_path / "twice.csv"
    event = '{"name": "a", "externalCustomerId": "c", "metadata": %s}'
    as_json.write_text(
        "\n".join(
            [
                event % '{"n": 1}',
                event % '{"n": 1, "n": 100}',
                event % '{"a": [{"n": 1, "n": 100}]}',
                '{"name": "b", ' + (event % "{}")[1:],
            ]
        )
    )
    as_csv.write_text('n\n"{""a"": 1, ""a"": 2}"\n')
    result = await run_import(as_json)
    assert result.out.endswith(": 1 inserted, 0 stored already, 3 refused.\n")
    assert result.err.splitlines()[:3] == [
        "line 2: is ambiguous: 'metadata' has the key 'n' twice",
        "line 3: is ambiguous: 'metadata.a.0' has the key 'n' twice",
        "line 4: is ambiguous: the object has the key 'name' twice",
    ]
    result = await run_import(as_csv, "--name", "a", "--customer", "c", "--json", "n={n}")
    assert result.err.splitlines()[0] == (
        "line 2: n: '{\"a\": 1, \"a\": 2}' is ambiguous: the object has the key 'a' twice"
    )


async def test_fail_fast_stops_at_the_first_bad_row(run_import: RunImport, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("who,n\na,1\na,x\na,y\n")
    result = await run_import(
        path, "--name", "n", "--customer", "{who}", "--number", "n={n}", "--fail-fast"
    )
    assert result.code == 1
    assert result.err == (
        "line 3: n: 'x' is not a number\nError: Stopped at line 3, as --fail-fast says.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{file}", "--name", "n"), "CSV needs --name, and --customer or --customer-id."),
        (
            ("{file}", "--name", "{Nmae}", "--customer", "c"),
            "has no column Nmae; it has TIMESTAMP, ContextTokens, GeneratedTokens.",
        ),
        (("{file}", "--name", "{x"), "an unmatched brace"),
        (("{file}", "--number", "x"), "'x' does not have the form KEY=TEMPLATE."),
        (("{file}", "--delimiter", "::"), "must be one character."),
        (("missing.csv",), "'missing.csv' does not exist."),
        ((__file__,), "Use --format to say whether"),
    ],
)
async def test_invalid_options_are_refused_before_anything_is_sent(
    run_import: RunImport, invocations: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = await run_import(
        *(invocations if argument == "{file}" else argument for argument in arguments)
    )
    assert result.code == 2
    assert message in result.err


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
    ("arguments", "code", "message"),
    [
        (
            ("--name", "{evnt}", "--customer", "{who}"),
            2,
            "None of the first 2 rows of {file} has the field evnt; they have event, who, n.",
        ),
        (
            ("--name", "{event}", "--customer", "{who}", "--number", "n={count}"),
            0,
            "Note: None of the first 2 rows of {file} has the field count; they have event, ",
        ),
        (
            ("--number", "n={n}"),
            2,
            "A mapping needs --name, and --customer or --customer-id.",
        ),
    ],
)
async def test_an_unknown_field_is_reported(
    run_import: RunImport, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text('{"event": "a", "who": "c"}\n{"event": "a", "who": "d", "n": 1}\n')
    result = await run_import(path, *arguments)
    assert result.code == code
    assert message.format(file=path) in result.err


async def test_a_wrong_token_is_reported(run_import: RunImport, invocations: Path) -> None:
    result = await run_import(invocations, *MAPPING, METERGRAPH_TOKEN="mg_wrong")
    assert result.code == 1
    assert result.err.startswith("Error: The API refuses: ")
    assert "mg_wrong" not in result.err
