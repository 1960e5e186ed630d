"""Reads a file row by row in constant memory: CSV with a header, or NDJSON.

A malformed row is returned with its problem, and reading goes on. Rows are numbered from 1,
without the header and blank lines.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from metergraph.importing.mapping import RowError
from metergraph.sentences import number_of
from models import exact_json

_LONGEST_LINE = 1024 * 1024


class FileError(RuntimeError):
    """The whole file cannot be imported; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its first line, its number, and how many bytes have been read with it.

    `values` is the text by column for CSV, the object for NDJSON; or None with a `problem`, which
    continues "line 7: …".
    """

    line: int
    number: int
    offset: int
    values: dict[str, Any] | None
    problem: str = ""


def read_header(path: Path, delimiter: str) -> list[str]:
    """Returns the columns of a CSV file; raises FileError if there are none, or one twice."""
    with path.open("rb") as file, _text(file) as text:
        try:
            header: list[str] = next(csv.reader(text, delimiter=delimiter), [])
        except csv.Error as error:
            raise FileError(f"The header of {path} cannot be read: {error}.") from None
    if not header:
        raise FileError(f"{path} is empty: its first line must name the columns.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise FileError(f"{path} has more than one column called {', '.join(twice)}.")
    return header


def read_csv(path: Path, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file below its header."""
    header = read_header(path, delimiter)
    with path.open("rb") as file, _text(file) as text:
        reader = csv.reader(text, delimiter=delimiter)
        next(reader)
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Row(line, number, file.tell(), None, f"is not CSV: {error}")
                continue
            if fields:
                number += 1
                problem = _csv_problem(fields, header)
                values = None if problem else dict(zip(header, fields, strict=True))
                yield Row(line, number, file.tell(), values, problem)


def _text(file: BinaryIO) -> io.TextIOWrapper:
    # Bytes that are not UTF-8 become lone surrogates, so that they cost their row and not the file.
    return io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")


def _csv_problem(fields: list[str], header: list[str]) -> str:
    if len(fields) != len(header):
        return f"has {number_of(len(fields), 'column')}; the header has {len(header)}"
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def read_ndjson(path: Path) -> Iterator[Row]:
    """The rows of a file with a JSON object on each line."""
    with path.open("rb") as file:
        number = 0
        for line, text in enumerate(_lines(file), 1):
            if text is not None and not text.strip():
                continue
            number += 1
            values, problem = _json_object(text)
            yield Row(line, number, file.tell(), values, problem)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yields the lines; None for one that is too long, which is skipped without keeping it."""
    while text := file.readline(_LONGEST_LINE):
        if len(text) < _LONGEST_LINE or text.endswith(b"\n"):
            yield text
            continue
        while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _json_object(text: bytes | None) -> tuple[dict[str, Any] | None, str]:
    if text is None:
        return None, f"is longer than {_LONGEST_LINE:,} bytes"
    try:
        value = exact_json.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError:
        return None, "is not UTF-8"
    except exact_json.AmbiguousError as error:
        return None, f"is ambiguous: {error}"
    except (ValueError, RecursionError) as error:
        return None, f"is not JSON: {error}"
    return (value, "") if isinstance(value, dict) else (None, "is not a JSON object")


def texts(values: dict[str, Any]) -> dict[str, str]:
    """Returns a JSON object's fields as CSV would have them; null is empty. Raises RowError."""
    return {key: _as_text(key, value) for key, value in values.items()}


def _as_text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    try:
        return exact_json.dumps(value)
    except TypeError:
        raise RowError(f"{key} has a number that is too large, or a lone surrogate") from None
