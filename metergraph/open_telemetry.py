"""The tracer of `config.tracing`, made of OpenTelemetry, which is an optional dependency.

A thread of the library's sends the spans. What does not fit into its queue is dropped, so a
collector that is slow, silent or away holds up nothing.
"""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from itertools import islice
from types import TracebackType
from typing import Self

from opentelemetry import context as contexts
from opentelemetry import propagate
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import Span as LibrarySpan
from opentelemetry.trace import Tracer as LibraryTracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from config.tracing import NO_SPAN, Attribute, Span
from waiting.outages import Outage

_GROUP = "opentelemetry_traces_exporter"
_STOP_SECONDS = 0.5
# A step of counting may follow thousands of commits. Only so many are followed in a trace.
_MOST_FOLLOWED = 100
_PREFIX = "metergraph."

_W3C = TraceContextTextMapPropagator()


class UnknownExporterError(Exception):
    """No exporter of this name is installed."""


class OpenTelemetry:
    """Makes spans by a provider; see `config.tracing`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer: LibraryTracer = provider.get_tracer("metergraph", version("metergraph"))

    def received(self, name: str, headers: Mapping[str, str]) -> Span:
        """Makes the span of a request. OTEL_PROPAGATORS says which headers name its trace."""
        parent = propagate.extract(headers, contexts.Context())
        return _Made(self._tracer.start_span(name, parent, SpanKind.SERVER))

    def within(self, name: str) -> Span:
        """Makes a child of the current span."""
        if not _is_recorded(get_current_span()):
            return NO_SPAN
        return _Made(self._tracer.start_span(name))

    def following(self, name: str, traceparents: Iterable[str | None]) -> Span:
        """Makes a span that follows others."""
        known = dict.fromkeys(text for text in traceparents if text is not None)
        found = [one for text in islice(known, _MOST_FOLLOWED) if (one := _context_of(text))]
        if not found:
            return NO_SPAN
        first, *others = found
        span = self._tracer.start_span(
            name, _within(first), links=[Link(other) for other in others]
        )
        shared = [Link(span.get_span_context(), {f"{_PREFIX}shared": True})]
        for other in others:
            self._tracer.start_span(name, _within(other), links=shared).end()
        return _Made(span)

    def here(self) -> str | None:
        """Returns the current span if it is recorded."""
        return _traceparent(get_current_span())


class _Made:
    """A span of OpenTelemetry."""

    def __init__(self, span: LibrarySpan) -> None:
        self._span = span
        self._outer: object = None

    @property
    def traceparent(self) -> str | None:
        """The span as text."""
        return _traceparent(self._span)

    def note(self, **attributes: Attribute) -> None:
        """Adds attributes."""
        self._span.set_attributes({f"{_PREFIX}{name}": value for name, value in attributes.items()})

    def end(self) -> None:
        """Ends it."""
        self._span.end()

    def __enter__(self) -> Self:
        self._outer = contexts.attach(set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends it. Of an error it tells the type only: the message may quote what was sent."""
        contexts.detach(self._outer)  # type: ignore[arg-type]  # what `attach` returned
        if kind is not None:
            self._span.set_status(Status(StatusCode.ERROR))
            self._span.set_attribute("error.type", kind.__qualname__)
        self._span.end()


def _is_recorded(span: LibrarySpan) -> bool:
    return span.get_span_context().trace_flags.sampled


def _traceparent(span: LibrarySpan) -> str | None:
    if not _is_recorded(span):
        return None
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span, contexts.Context()))
    return carrier.get("traceparent")


def _context_of(traceparent: str) -> SpanContext | None:
    found = get_current_span(_W3C.extract({"traceparent": traceparent}, contexts.Context()))
    return found.get_span_context() if found.get_span_context().is_valid else None


def _within(parent: SpanContext) -> contexts.Context:
    return set_span_in_context(NonRecordingSpan(parent), contexts.Context())


class _Watched(SpanExporter):
    """An exporter, of which the log names each outage once."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._outage = Outage("The collector of traces")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends spans."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outage.back()
        else:
            self._outage.away(OSError("it does not take them"))
        return result

    def shutdown(self) -> None:
        """Closes the exporter."""
        self._exporter.shutdown()


@dataclass(frozen=True)
class Opened:
    """The tracer of a process, and the provider behind it."""

    tracer: OpenTelemetry
    provider: TracerProvider

    def close(self) -> None:
        """Sends what is left, for half a second at most."""
        stopping = threading.Thread(target=self.provider.shutdown, daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)


def opened(role: str, exporter: str) -> Opened:
    """Opens the exporter of a name, for a process of a role. Raises UnknownExporterError."""
    found = list(entry_points(group=_GROUP, name=exporter))
    if not found:
        raise UnknownExporterError
    # The library's logger repeats itself with every batch.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: f"metergraph-{role}"}))
    resource = Resource({SERVICE_VERSION: version("metergraph")}).merge(resource)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Watched(found[0].load()())))
    return Opened(OpenTelemetry(provider), provider)
