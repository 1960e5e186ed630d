"""The manifest of an archived month: what its folder has, and how to know that it is whole."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from metering.archive.errors import ArchiveError
from metering.language.instants import format_instant

MANIFEST = "manifest.json"
_FORMAT = "metergraph archive"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ArchivedMeter:
    """What a meter had counted in the month, over all customers; `quantity` has all its digits."""

    id: str
    name: str
    events: int
    quantity: str | None


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """The events of an organization. `rows_sha256` is a hash of the rows, `sha256` of the file."""

    organization_id: str
    organization: str
    file: str
    bytes: int
    sha256: str
    rows_sha256: str
    events: int
    first_position: int
    last_position: int
    first_at: str
    last_at: str
    meters: tuple[ArchivedMeter, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole folder. `start` is null for all time before the end."""

    archive: UUID
    month: str
    start: datetime | None
    end: datetime
    files: tuple[ArchivedFile, ...]

    @property
    def events(self) -> int:
        """How many events the files have."""
        return sum(file.events for file in self.files)

    @property
    def size(self) -> int:
        """The size of the files in bytes."""
        return sum(file.bytes for file in self.files)

    def to_json(self) -> bytes:
        """Writes it."""
        return orjson.dumps(
            {
                "format": _FORMAT,
                "version": _VERSION,
                "archive": str(self.archive),
                "month": self.month,
                "start": None if self.start is None else format_instant(self.start),
                "end": format_instant(self.end),
                "events": self.events,
                "bytes": self.size,
                "files": [asdict(file) for file in self.files],
            },
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )


def read_manifest(folder: Path) -> Manifest | None:
    """Reads the manifest of a folder; None if there is none.

    Raises:
        ArchiveError: it is not a manifest of this version.
    """
    path = folder / MANIFEST
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path} cannot be read: {error}.") from error
    try:
        if (found["format"], found["version"]) != (_FORMAT, _VERSION):
            raise ArchiveError(f"{path} is of a version that this Metergraph does not know.")
        return _manifest(found)
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveError(f"{path} is damaged.") from error


def _manifest(found: Any) -> Manifest:
    return Manifest(
        archive=UUID(found["archive"]),
        month=str(found["month"]),
        start=None if found["start"] is None else datetime.fromisoformat(found["start"]),
        end=datetime.fromisoformat(found["end"]),
        files=tuple(
            ArchivedFile(
                **{**file, "meters": tuple(ArchivedMeter(**meter) for meter in file["meters"])}
            )
            for file in found["files"]
        ),
    )
