"""The exceptions of this package.

MetergraphError
├── UnreachableError      Metergraph gave no answer
├── ApiError              Metergraph answered with an error
├── InvalidInputError     Metergraph refused the input of a mutation
├── QueueFullError        an event was not taken, because too many are waiting
├── ClosedError           an event was not taken, because the client is closed
├── FlushTimeoutError     flush() did not finish in time; delivery goes on
└── UndeliveredError      close() gave up; it has the events
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metergraph_client.events import Event


class MetergraphError(Exception):
    """Anything that this package raises."""


class UnreachableError(MetergraphError):
    """There was no answer of Metergraph: no connection, a timeout, or a proxy's error page."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class ApiError(MetergraphError):
    """Metergraph answered with an error.

    Attributes:
        code: such as NOT_FOUND or RATE_LIMITED; docs/api.md lists them.
        message: a sentence for people.
        path: where in the answer it is, such as ("customer", "meters").
        extensions: everything else that Metergraph says about it.
        status: the status of the HTTP response.
        retry_after: how many seconds to wait before trying again, if Metergraph says so.
    """

    def __init__(
        self, error: Mapping[str, Any], *, status: int = 200, retry_after: float | None = None
    ) -> None:
        extensions = error.get("extensions")
        self.extensions: Mapping[str, Any] = extensions if isinstance(extensions, Mapping) else {}
        self.code = str(self.extensions.get("code", "UNKNOWN"))
        self.message = str(error.get("message", ""))
        path = error.get("path")
        self.path: tuple[str | int, ...] = tuple(path) if isinstance(path, list) else ()
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.message}")

    @property
    def retryable(self) -> bool:
        """Whether the same request can be sent again, later, and cannot take effect twice."""
        return self.code == "RATE_LIMITED" or self.extensions.get("retryable") is True


@dataclass(frozen=True)
class UserError:
    """A problem with the input of a mutation.

    Attributes:
        code: such as INVALID.
        message: a sentence for people.
        path: from `input` to the value at fault.
    """

    code: str
    message: str
    path: tuple[str, ...] = ()


class InvalidInputError(MetergraphError):
    """A mutation answered with userErrors.

    Attributes:
        user_errors: the problems.
        data: the whole answer, which matters if the document has several mutations.
    """

    def __init__(self, user_errors: Sequence[UserError], data: Mapping[str, Any]) -> None:
        super().__init__("; ".join(f"{error.code}: {error.message}" for error in user_errors))
        self.user_errors = tuple(user_errors)
        self.data = data


class QueueFullError(MetergraphError):
    """An event was not taken, because too many are waiting to be delivered."""

    def __init__(self, event: Event) -> None:
        super().__init__("The queue is full; the event was not taken.")
        self.event = event


class ClosedError(MetergraphError):
    """An event was not taken, because the client is closed."""

    def __init__(self, event: Event) -> None:
        super().__init__("The client is closed; the event was not taken.")
        self.event = event


class FlushTimeoutError(MetergraphError, TimeoutError):
    """flush() did not finish in time. The events are still in the queue, and delivery goes on."""

    def __init__(self, queued: int) -> None:
        super().__init__(f"{queued} events are not delivered yet.")
        self.queued = queued


class UndeliveredError(MetergraphError):
    """close() gave up.

    An event whose answer was lost may be stored nevertheless. Sending it again is safe, because it
    keeps its external id.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__(f"{len(events)} events were not delivered.")
        self.events = tuple(events)
