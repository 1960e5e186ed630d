"""A proxy before the API that fails as it is told: wrong answers, lost answers, silence."""

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 120.0


@dataclass
class Request:
    """What a client has sent."""

    body: bytes
    at: float

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of an eventsIngest."""
        found: list[dict[str, Any]] = json.loads(self.body)["variables"]["input"]["events"]
        return found

    @property
    def external_ids(self) -> list[str]:
        """Of the events."""
        return [event["externalId"] for event in self.events]


Fault = Callable[["_Handler", bytes], None]
"""Treats a request in place of passing it on."""


@dataclass
class FaultyProxy:
    """`url` is the server's, through the proxy. Requests take the planned faults in turn."""

    url: str
    upstream: str
    requests: list[Request] = field(default_factory=list)
    planned: deque[Fault] = field(default_factory=deque)
    always: Callable[[bytes], Fault | None] = lambda _body: None
    changed: threading.Condition = field(default_factory=threading.Condition)
    ended: threading.Event = field(default_factory=threading.Event)

    def plan(self, *faults: Fault) -> None:
        """The next requests fail like this."""
        self.planned.extend(faults)

    def wait_for_requests(self, count: int) -> list[Request]:
        """Waits until so many requests have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, _SECONDS)
        return self.requests

    def take(self, body: bytes) -> Fault | None:
        """Notes a request; the fault that it meets."""
        with self.changed:
            self.requests.append(Request(body, time.monotonic()))
            self.changed.notify_all()
            if self.planned:
                return self.planned.popleft()
        return self.always(body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        fault = self.proxy.take(body)
        if fault is None:
            self.answer(*self.passed_on(body))
        else:
            fault(self, body)

    def passed_on(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """What the server answers."""
        parts = urlsplit(self.proxy.upstream)
        connection = http.client.HTTPConnection(parts.netloc, timeout=_SECONDS)
        names = ("authorization", "content-type", "accept")
        connection.request("POST", self.path, body, {name: self.headers[name] for name in names})
        response = connection.getresponse()
        kept = ("content-type", "retry-after")
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        content = response.read()
        connection.close()
        return response.status, content, headers

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its own signature
        """Says nothing."""


def answer(status: int, content: str = "<html>", **headers: str) -> Fault:
    """An answer that is not the server's."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _body: handler.answer(status, content.encode(), given)


def api_error(status: int, code: str, **extensions: Any) -> Fault:
    """An error as the API gives it."""
    error = {"message": f"It is {code}.", "extensions": {"code": code, **extensions}}
    return answer(
        status, json.dumps({"errors": [error]}), content_type="application/graphql-response+json"
    )


def lose_the_answer(handler: _Handler, body: bytes) -> None:
    """The server does it, and the connection breaks before it says so."""
    handler.passed_on(body)
    handler.close_connection = True
    handler.connection.close()


def fall_silent(handler: _Handler, body: bytes) -> None:
    """The server does it, and nothing more is heard of it."""
    handler.passed_on(body)
    handler.close_connection = True
    handler.proxy.ended.wait(_SECONDS)


@contextmanager
def faulty(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy before `upstream`, such as http://127.0.0.1:40123."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    proxy = FaultyProxy(f"http://127.0.0.1:{server.server_port}", upstream)
    Handler.proxy = proxy
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
