"""What is wrong with a filter or an aggregation that somebody wrote: a value, not an exception."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the caller can mend. `path` leads from the filter, say, to the culprit."""

    path: tuple[str, ...]
    message: str
