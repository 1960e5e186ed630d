"""Folders of files that follow one another: each says in its name where the next one begins."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

_NAME = re.compile(r"events-(\d{15})-(\d{15})-([0-9a-f]{32})\.(?:ndjson|parquet)")


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
