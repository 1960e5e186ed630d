"""Traces are sent if OpenTelemetry's variables ask for it, and no collector holds anything up."""

import gzip
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.testing import capture_logs

from config import tracing
from config.settings import Settings
from metergraph.tracing import TracingError, exporter_asked_for
from metergraph.tracing import tracing as traced
from tests.api_process import api_process

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SECONDS = 120.0


@pytest.mark.parametrize(
    ("variables", "exporter"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "billing"}, None),
        ({ENDPOINT: "http://collector:4318"}, "otlp_proto_http"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}, "otlp_proto_http"),
        ({ENDPOINT: " "}, None),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp_proto_http"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://collector:4318"}, None),
        ({"OTEL_SDK_DISABLED": "True", ENDPOINT: "http://collector:4318"}, None),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", ENDPOINT: "http://collector:4317"},
            "otlp_proto_grpc",
        ),
    ],
)
def test_the_standard_variables_ask_for_traces(
    variables: Mapping[str, str], exporter: str | None
) -> None:
    assert exporter_asked_for(variables) == exporter


def test_without_them_the_library_is_not_even_imported() -> None:
    code = """
import sys
from metergraph.commands import api, worker
from metergraph.tracing import tracing
with tracing("api"):
    assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    environment = {name: value for name, value in os.environ.items() if "OTEL_" not in name}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_what_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    with (
        pytest.raises(TracingError, match="exporter pigeon, which is not installed"),
        traced("api"),
    ):
        pass
    monkeypatch.setitem(sys.modules, "metergraph.open_telemetry", None)
    with (
        pytest.raises(TracingError, match=r"OTEL_TRACES_EXPORTER asks.*requirements-tracing\.txt"),
        traced("api"),
    ):
        pass


@contextmanager
def collector(requests: "Queue[ExportTraceServiceRequest]") -> Iterator[str]:
    """Takes spans over OTLP, as a collector does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            requests.put(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silence() -> Iterator[str]:
    """Accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.servers
def test_a_process_sends_its_spans_over_otlp(settings: Settings, database: object) -> None:
    requests: Queue[ExportTraceServiceRequest] = Queue()
    with (
        collector(requests) as url,
        api_process(settings, **{ENDPOINT: url, "OTEL_BSP_SCHEDULE_DELAY": "50"}) as process,
        httpx.Client(base_url=process.url, timeout=SECONDS) as client,
    ):
        assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
        sent = requests.get(timeout=SECONDS)
    [of_resource] = sent.resource_spans
    resource = {each.key: each.value.string_value for each in of_resource.resource.attributes}
    assert resource["service.name"] == "metergraph-api"
    [of_scope] = of_resource.scope_spans
    assert [span.name for span in of_scope.spans] == ["GraphQL over HTTP"]


@pytest.mark.servers
def test_a_silent_collector_holds_up_neither_requests_nor_the_end(
    settings: Settings, database: object
) -> None:
    variables = {"OTEL_EXPORTER_OTLP_TIMEOUT": "3600", "OTEL_BSP_EXPORT_TIMEOUT": "3600000"}
    with (
        silence() as url,
        api_process(
            settings, **{ENDPOINT: url, "OTEL_BSP_SCHEDULE_DELAY": "1"}, **variables
        ) as api,
        httpx.Client(base_url=api.url, timeout=SECONDS) as client,
    ):
        for _ in range(100):
            assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
        api.ask_to_stop()
        code, _seconds = api.stopped(SECONDS)
    assert code == 0


def test_spans_that_nobody_takes_are_dropped_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")  # nothing listens there
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.05")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    with capture_logs() as lines, traced("api"):

        def warnings() -> list[str]:
            return [line["event"] for line in lines if line["log_level"] != "info"]

        deadline = time.monotonic() + SECONDS
        while not warnings() and time.monotonic() < deadline:
            with tracing.received("request", {}):
                pass
        for _ in range(2_000):
            with tracing.received("request", {}):
                pass
        assert warnings() == ["The collector of traces cannot be used; trying again"]
