"""Spans: the way of an event through the processes. Off unless this process has a tracer.

    with tracing.within("store events") as span:
        span.note(events=3)

Spans of other tasks and processes are known by their `traceparent`, the text of
https://www.w3.org/TR/trace-context/, which is stored with what they leave behind. It is None if a
span is not recorded, and what follows from it is not either. Names and attributes are ids, numbers
and words of ours, never what a client sent. `metergraph.tracing` has the tracer of OpenTelemetry.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

Attribute = str | int


class Span(Protocol):
    """A span. In a `with`, it is current and ends with the block; else its maker calls `end`."""

    @property
    def traceparent(self) -> str | None:
        """The span as text; None if it is not recorded."""

    def note(self, **attributes: Attribute) -> None:
        """Adds attributes. Their names get the prefix `metergraph.`."""

    def end(self) -> None:
        """Ends it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Tracer(Protocol):
    """Makes the spans of a process; see the functions of this module."""

    def received(self, name: str, headers: Mapping[str, str]) -> Span: ...  # noqa: D102

    def within(self, name: str) -> Span: ...  # noqa: D102

    def following(self, name: str, traceparents: Iterable[str | None]) -> Span: ...  # noqa: D102

    def here(self) -> str | None: ...  # noqa: D102


class _NoSpan:
    """Stands in for a span that is not made."""

    traceparent = None

    def note(self, **attributes: Attribute) -> None:
        """Does nothing."""

    def end(self) -> None:
        """Does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Does nothing."""


NO_SPAN: Span = _NoSpan()

# One for the process.
_tracer: Tracer | None = None


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    """Turns tracing on for the block."""
    global _tracer  # noqa: PLW0603  # one for the process
    outer, _tracer = _tracer, tracer
    try:
        yield
    finally:
        _tracer = outer


def received(name: str, headers: Mapping[str, str]) -> Span:
    """Makes the span of a request, in the trace that its headers name, or in a new one."""
    return NO_SPAN if _tracer is None else _tracer.received(name, headers)


def within(name: str) -> Span:
    """Makes a child of the current span; without one, there is no span."""
    return NO_SPAN if _tracer is None else _tracer.within(name)


def following(name: str, traceparents: Iterable[str | None]) -> Span:
    """Makes the span of work that several spans led to; if none of them is known, there is none.

    It is a child of the first, and has links to the others. Each of these gets a child without
    duration with a link to the shared span, so that a trace leads on from every one of them.
    """
    return NO_SPAN if _tracer is None else _tracer.following(name, traceparents)


def here() -> str | None:
    """Returns the current span, to be stored with what follows from it."""
    return None if _tracer is None else _tracer.here()
