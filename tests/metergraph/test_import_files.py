"""Reading files, and the language that maps their rows to events."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from metergraph.importing.mapping import (
    EventMapping,
    MetadataField,
    RowError,
    Template,
    TemplateError,
)
from metergraph.importing.outgoing import outgoing_event
from metergraph.importing.row_ids import row_ids
from metergraph.importing.rows import (
    FileError,
    Row,
    read_csv,
    read_ndjson,
    texts,
)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def told(rows: list[Row]) -> list[tuple[int, int, Any]]:
    """Line, number, and what the row holds or what is wrong with it."""
    return [(row.line, row.number, row.problem or row.values) for row in rows]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("ai_usage", "ai_usage"),
        ("", ""),
        ("{Model}", "gpt"),
        ("{A b/c}", "x"),
        ("{row}", "12"),
        ("{row%10}", "2"),
        ("customer-{row%5}-{Model}", "customer-2-gpt"),
        ("{{{Model}}}", "{gpt}"),
        ("{{row}}", "{row}"),
        ("{empty}", None),
        ("x{missing}", None),
    ],
)
def test_templates(template: str, text: str | None) -> None:
    row = {"Model": "gpt", "A b/c": "x", "empty": ""}
    assert Template.parse(template).render(12, row) == text


@pytest.mark.parametrize("template", ["{", "}", "{}", "a{b", "a}b", "{a{b}}"])
def test_a_brace_without_its_partner_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match="unmatched brace"):
        Template.parse(template)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " 007 ", " 007 "),
        ("number", "374", Decimal(374)),
        ("number", " -1.50 ", Decimal("-1.50")),
        ("number", "007", Decimal(7)),
        ("number", "+.5e-3", Decimal("0.0005")),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("json", '{"a": [1.10]}', {"a": [Decimal("1.10")]}),
    ],
)
def test_metadata_has_types_and_empty_columns_have_no_key(kind: str, text: str, value: Any) -> None:
    mapping = EventMapping(metadata=(MetadataField("key", kind, Template.parse("{column}")),))
    assert mapping.event(1, {"column": text}) == {"metadata": {"key": value}}
    assert mapping.event(1, {"column": ""}) == {"metadata": {}}


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("number", "1,000", "key: '1,000' is not a number"),
        ("number", "NaN", "key: 'NaN' is not a number"),
        ("number", "1_000", "key: '1_000' is not a number"),
        ("number", "1e99999999999999999999", "a number that is too large or too small"),
        ("boolean", "maybe", "key: 'maybe' is not true, false, yes, no, 1 or 0"),
        ("json", "{", "key: '{' is not JSON"),
    ],
)
def test_metadata_of_another_type_is_a_bad_row(kind: str, text: str, problem: str) -> None:
    mapping = EventMapping(metadata=(MetadataField("key", kind, Template.parse("{column}")),))
    with pytest.raises(RowError, match=problem.replace("(", r"\(")):
        mapping.event(1, {"column": text})


def sent(event: dict[str, Any], *, assume_utc: bool = False) -> Any:
    usual = {"name": "n", "externalCustomerId": "c"}
    with row_ids("p") as ids:
        return json.loads(outgoing_event({**usual, **event}, 7, ids, assume_utc=assume_utc).json)


def test_a_timestamp_needs_an_offset_unless_utc_is_assumed() -> None:
    text = "2023-11-16 18:15:46.6805900"
    assert sent({"timestamp": text}, assume_utc=True)["timestamp"] == "2023-11-16T18:15:46.680590Z"
    with pytest.raises(RowError, match="timestamp has no offset"):
        sent({"timestamp": text})
    with_offset = "2023-11-16T18:00:00+02:00"
    assert sent({"timestamp": with_offset}, assume_utc=True)["timestamp"] == "2023-11-16T16:00:00Z"
    with pytest.raises(RowError, match="is not an ISO 8601 instant"):
        sent({"timestamp": "soon"}, assume_utc=True)
    for assume_utc in (True, False):
        found = sent({"timestamp": "2023-11-16t18:00:00z"}, assume_utc=assume_utc)
        assert found["timestamp"] == "2023-11-16T18:00:00Z"


def test_numbers_keep_every_digit_on_their_way() -> None:
    event = {
        "name": "n",
        "externalCustomerId": "c",
        "metadata": {"n": Decimal("0.10"), "w": 10**25},
    }
    with row_ids("p") as ids:
        text = outgoing_event(event, 1, ids, assume_utc=False).json
    assert '"metadata":{"n":0.10,"w":10000000000000000000000000}' in text


def test_csv_rows_have_lines_and_numbers(tmp_path: Path) -> None:
    path = written(
        tmp_path / "f.csv", '\ufeffa,b\r\n1,2\r\n\r\n"two\r\nlines",3\r\nonly\r\n4,5,6\r\n7,8'
    )
    assert told(list(read_csv(path, ","))) == [
        (2, 1, {"a": "1", "b": "2"}),
        (4, 2, {"a": "two\r\nlines", "b": "3"}),
        (6, 3, "has 1 column; the header has 2"),
        (7, 4, "has 3 columns; the header has 2"),
        (8, 5, {"a": "7", "b": "8"}),
    ]


def test_csv_that_is_broken_costs_its_row_only(tmp_path: Path) -> None:
    path = written(tmp_path / "f.csv", b"a;b\n1;\xff\n" + b"x" * 200_000 + b";2\n3;\xc3\xa4\n")
    assert told(list(read_csv(path, ";"))) == [
        (2, 1, "is not UTF-8"),
        (3, 2, "is not CSV: field larger than field limit (131072)"),
        (4, 3, {"a": "3", "b": "ä"}),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "is empty"), ("a,b,a\n", "more than one column called a")],
)
def test_csv_needs_a_header(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(FileError, match=problem):
        list(read_csv(written(tmp_path / "f.csv", content), ","))


def test_ndjson_rows_have_lines_and_numbers(tmp_path: Path) -> None:
    lines = [
        b'\xef\xbb\xbf{"a": 0.10}',
        b"",
        b"[1]",
        b"{",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b'{"a": "' + b"x" * 3_000_000 + b'"}',
        b"[" * 100_000,
        b'{"a": "last"}',
    ]
    found = told(list(read_ndjson(written(tmp_path / "f.ndjson", b"\n".join(lines)))))
    assert [(line, number) for line, number, _ in found] == [
        (1, 1),
        (3, 2),
        (4, 3),
        (5, 4),
        (6, 5),
        (7, 6),
        (8, 7),
        (9, 8),
    ]
    assert found[0][2] == {"a": Decimal("0.10")}
    assert found[-1][2] == {"a": "last"}
    for (_, _, problem), beginning in zip(
        found[1:-1],
        [
            "is not a JSON object",
            "is not JSON: Expecting",
            "is not JSON: NaN is not a JSON number",
            "is not UTF-8",
            "is longer than 1,048,576 bytes",
            "is not JSON: maximum recursion depth",
        ],
        strict=True,
    ):
        assert problem.startswith(beginning)


def test_fields_of_json_can_be_mapped_as_text() -> None:
    values = {"s": "x", "n": Decimal("0.10"), "i": 7, "b": True, "z": None, "o": {"a": [1]}}
    assert texts(values) == {
        "s": "x",
        "n": "0.10",
        "i": "7",
        "b": "true",
        "z": "",
        "o": '{"a":[1]}',
    }
