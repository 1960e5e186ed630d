"""A worker answers its supervisors on a port of its own."""

import http.client
import json
import re
from typing import Any

import pytest

from tests.faults.system import WORKERS, System, wait_until

pytestmark = pytest.mark.servers

_SECONDS = 120.0
_PORT = re.compile(r'"url": "http://127\.0\.0\.1:(\d+)"')


def ask(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_worker_with_a_port_says_when_it_is_ready_and_stops_as_any_other(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERGRAPH_WORKER_PORT", "0")
    said_before = len(system.log_of(WORKERS[0]))
    system.start(WORKERS[0])

    def found() -> re.Match[str] | None:
        return _PORT.search(system.log_of(WORKERS[0]), said_before)

    wait_until(lambda: found() is not None, _SECONDS, "it says its port")
    match = found()
    assert match is not None
    port = int(match[1])
    assert ask(port, "/healthz") == (200, b'{"status":"ok"}')
    wait_until(lambda: ask(port, "/readyz")[0] == 200, _SECONDS, "it is ready")
    body: dict[str, Any] = json.loads(ask(port, "/readyz")[1])
    assert (body["status"], body["clock"]["status"]) == ("ready", "ok")
    assert abs(body["clock"]["aheadSeconds"]) < 5
    assert b"metergraph_worker_ready 1.0" in ask(port, "/metrics")[1]

    process = system.processes[WORKERS[0]]
    process.terminate()
    assert process.wait(_SECONDS) == 0
