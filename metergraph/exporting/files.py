"""Files that are whole or not there, and folders of files that follow one another."""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

_NAME = re.compile(r"events-(\d{15})-(\d{15})-([0-9a-f]{32})\.(?:ndjson|parquet)")


class ExportFileError(RuntimeError):
    """A file or folder cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position of an organization's log, in a timeline of the database."""

    position: int
    timeline: UUID | None

    def __str__(self) -> str:
        """Writes it as a text for `--after`."""
        return f"{self.position}.{self.timeline.hex}" if self.timeline else str(self.position)

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Reads what `str` writes. Raises ValueError."""
        position, dot, timeline = text.partition(".")
        if not re.fullmatch(r"[0-9]{1,18}", position) or (dot and len(timeline) != 32):
            raise ValueError("is not a position that an export has printed")
        return cls(int(position), UUID(timeline) if dot else None)


BEGINNING = Place(0, None)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file, which gets its name only after the block has written all of it.

    A process that is killed leaves a hidden file that ends in `.part`.

    Raises:
        ExportFileError: there is a file with this name.
    """
    if path.exists():
        raise ExportFileError(f"{path} exists already.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, it replaces nothing
        except FileExistsError:
            raise ExportFileError(f"{path} exists already.") from None
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keeps other exports out of a folder, which is created if it is missing.

    Raises:
        ExportFileError: another export is writing to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportFileError(f"Another export is writing to {folder}.") from None
        yield
    finally:
        os.close(descriptor)


def last_place(folder: Path) -> Place:
    """Returns where the last file of a folder ends."""
    found = [match for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    if not found:
        return BEGINNING
    last = max(found, key=lambda match: int(match[2]))
    return Place(int(last[2]), UUID(last[3]))


def file_name(after: Place, through: Place, ending: str) -> str:
    """Returns the name of the file of a range, in a folder."""
    timeline = "" if through.timeline is None else through.timeline.hex
    return f"events-{after.position:015}-{through.position:015}-{timeline}.{ending}"
