"""The arguments of fields that read usage over a range of time."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.enums import Interval
from schema.errors import BadUserInput

Start = Annotated[
    datetime,
    strawberry.argument(description="Include events that happened at or after this instant."),
]
End = Annotated[
    datetime, strawberry.argument(description="Include events that happened before this instant.")
]
EachInterval = Annotated[Interval, strawberry.argument(description="The length of each interval.")]
TimeZone = Annotated[
    str,
    strawberry.argument(description="The IANA time zone of the intervals, such as Europe/Berlin."),
]
NullableTimeZone = Annotated[
    str | None,
    strawberry.argument(
        description="The IANA time zone of the intervals, such as Europe/Berlin. By default UTC."
    ),
]

MOST_FIRST = 100


def size_of_list(first: int | None, default: int) -> int:
    """Checks and returns the maximum length of a list without pages. Raises BadUserInput."""
    if first is None:
        return default
    if not 1 <= first <= MOST_FIRST:
        raise BadUserInput(f"`first` must be from 1 to {MOST_FIRST}, not {first}", path=["first"])
    return first
