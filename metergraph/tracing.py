"""Traces, if the environment asks OpenTelemetry for them by its standard variables (OTEL_*).

They are off unless an exporter or an endpoint is named. The library is optional, so it is imported
only when it is needed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from config.tracing import traced_by

_log = structlog.get_logger(__name__)

_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = "otlp"
_NONE = "none"


class TracingError(Exception):
    """The environment asks for traces that cannot be sent."""


@contextmanager
def tracing(role: str) -> Iterator[None]:
    """Traces this process inside the block, an "api" or a "worker", if the environment asks for it.

    Raises TracingError.
    """
    exporter = exporter_asked_for(os.environ)
    if exporter is None:
        yield
        return
    try:
        from metergraph.open_telemetry import UnknownExporterError, opened  # noqa: PLC0415  # optional
    except ImportError as error:
        raise TracingError(
            f"{_named(os.environ)} asks for traces, but {error.name} is not installed. Install "
            "what requirements-tracing.txt names, or remove the variable."
        ) from error
    try:
        provider = opened(role, exporter)
    except UnknownExporterError as error:
        raise TracingError(
            f"{_named(os.environ)} asks for the exporter {exporter}, which is not installed."
        ) from error
    _log.info("traces are sent", exporter=exporter)
    try:
        with traced_by(provider.tracer):
            yield
    finally:
        provider.close()


def exporter_asked_for(environ: Mapping[str, str]) -> str | None:
    """Returns the name of OpenTelemetry's exporter, such as otlp_proto_http; None: no traces."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or _named(environ) is None:
        return None
    exporter = environ.get(_EXPORTER, "").strip() or _OTLP
    if exporter != _OTLP:
        return None if exporter == _NONE else exporter
    protocols = (environ.get(name, "").strip() for name in _PROTOCOLS)
    protocol = next(filter(None, protocols), "http/protobuf")
    return f"otlp_proto_{protocol.partition('/')[0]}"


def _named(environ: Mapping[str, str]) -> str | None:
    """Returns the variable that asks for traces; None if there is none."""
    return next((name for name in (_EXPORTER, *_ENDPOINTS) if environ.get(name, "").strip()), None)
