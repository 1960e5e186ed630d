"""Writes rows as NDJSON or Parquet, piece by piece, so that memory stays bounded."""

import io
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import IO, Any, Protocol, Self

import orjson

_GROUP_BYTES = 32 * 2**20


class ParquetMissingError(RuntimeError):
    """The library that writes Parquet is not installed."""


class Kind(Enum):
    """What a column has. JSON is a text in Parquet, and a value in NDJSON."""

    TEXT = "text"
    INTEGER = "integer"
    INSTANT = "instant"
    JSON = "json"


Columns = Mapping[str, Kind]
Row = Mapping[str, Any]
"""A value for each column, or None; for JSON, its text."""


class Writer(Protocol):
    """Writes rows to a file within a `with` block, which leaves the file open.

    What was written is whole only after the block. If the block fails, it does not look whole.
    """

    def write(self, rows: Sequence[Row]) -> None:
        """Writes some rows."""

    def __enter__(self) -> Self:
        """Returns the writer."""

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Writes what is still missing, unless the block failed."""


class NDJSONWriter:
    """Writes an object to each line."""

    def __init__(self, file: IO[bytes], columns: Columns) -> None:
        self._file = file
        self._columns = columns

    def write(self, rows: Sequence[Row]) -> None:
        """Writes some rows."""
        for row in rows:
            line = {name: _json_value(kind, row[name]) for name, kind in self._columns.items()}
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing left to write."""


def _json_value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.INSTANT:
        instant: datetime = value
        return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return orjson.Fragment(value) if kind is Kind.JSON else value


def import_parquet() -> tuple[Any, Any]:
    """Imports pyarrow and its module for Parquet: they are optional, and slow to import.

    Raises:
        ParquetMissingError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ParquetMissingError(
            "Parquet needs pyarrow. Install it where Metergraph is installed: "
            f"`{sys.executable} -m pip install pyarrow`. Exports can also be NDJSON."
        ) from None
    return pa, pq


class ParquetWriter:
    """Writes row groups of some megabytes, compressed with zstd.

    Raises:
        ParquetMissingError: pyarrow is not installed.
    """

    def __init__(self, file: IO[bytes], columns: Columns) -> None:
        pa, pq = import_parquet()
        types = {
            Kind.TEXT: pa.string(),
            Kind.JSON: pa.string(),
            Kind.INTEGER: pa.int64(),
            Kind.INSTANT: pa.timestamp("us", tz="UTC"),
        }
        self._schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
        self._table_of = pa.Table.from_pylist
        self._concat = pa.concat_tables
        self._sink = _Sink(file)
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._waiting: list[Any] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Writes a row group once there are enough rows for one."""
        self._waiting.append(self._table_of(list(rows), schema=self._schema))
        if sum(table.nbytes for table in self._waiting) >= _GROUP_BYTES:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Writes the last rows, and the footer without which the file cannot be read."""
        if failure is not None:
            self._sink.cut_off()
        else:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._concat(self._waiting))
            self._waiting = []


class _Sink(io.RawIOBase):
    """Passes bytes on to a file until it is cut off.

    pyarrow writes the footer also when a writer is abandoned, and the file would look whole.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file: IO[bytes] | None = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data) if self._file is None else self._file.write(data)

    def cut_off(self) -> None:
        self._file = None


WRITERS: dict[str, type[NDJSONWriter] | type[ParquetWriter]] = {
    "ndjson": NDJSONWriter,
    "parquet": ParquetWriter,
}
"""The writers, by the name of the format, which is also the ending of its files."""
