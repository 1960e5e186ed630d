"""Measures requests for `/metrics`: how long each took, and the codes of the errors.

A subscription is not measured, because it ends when its client wants it to.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

from schema.errors import APIError

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the buckets in seconds; one more bucket has what takes longer."""

CODES = tuple(sorted({APIError.code, *(error.code for error in APIError.__subclasses__())}))
"""The codes that errors can have."""


class RequestKind(StrEnum):
    """What a request was for. One that is refused before a mutation begins counts as a query."""

    QUERY = "query"
    MUTATION = "mutation"
    EVENTS = "events"
    """Events over plain HTTP."""


class Durations:
    """How long requests of a kind took: their number by bucket, and all their seconds."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Adds a request."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class MeasuredRequests:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.durations = {kind: Durations() for kind in RequestKind}
        self.errors: Counter[str] = Counter()

    def answered(self, kind: RequestKind, seconds: float) -> None:
        """Records that a request was answered, or refused."""
        self.durations[kind].add(seconds)

    def failed(self, *errors: GraphQLError) -> None:
        """Records errors that the API answers."""
        self.errors.update(_code(error.extensions or {}) for error in errors)

    def failed_with(self, errors: Iterable[Mapping[str, Any]]) -> None:
        """Records errors in the form in which they are sent."""
        self.errors.update(_code(error.get("extensions") or {}) for error in errors)


def _code(extensions: Mapping[str, Any]) -> str:
    """Returns a code of CODES, so that nobody can add series to `/metrics`."""
    code = extensions.get("code")
    return code if code in CODES else APIError.code
