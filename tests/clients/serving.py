"""Everything that the TypeScript client's tests need, and what they ask of it: `python -m`.

Prints the API's and its own address, as JSON, and runs until its standard input ends. POST to its
own address: /organization makes a tenant and answers with its token; /kill ends the API as a crash
would, and /start starts it again.
"""

import json
import logging
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import structlog

from models import Organization
from tests.faults.system import API, WORKERS, System, running_system
from tests.serving import new_token


def main() -> None:
    """Serves until nobody listens any more."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with running_system() as system:
        system.start(API, WORKERS[0])

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.dumps(answer(system, self.path)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own signature
                """Says nothing."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=shut_down_after_input, args=(server,), daemon=True).start()
            url = f"http://127.0.0.1:{system.port}"
            control = f"http://127.0.0.1:{server.server_port}"
            print(json.dumps({"url": url, "control": control}), flush=True)  # noqa: T201  # its answer
            server.serve_forever(0.05)


def answer(system: System, path: str) -> dict[str, str]:
    """Does what a request asks for."""
    if path == "/organization":
        return {"token": system.run(_organization)}
    if path == "/kill":
        system.kill(API)
    else:
        system.start(API)
    return {}


def shut_down_after_input(server: HTTPServer) -> None:
    """Ends the server with the process that started this one."""
    sys.stdin.read()
    server.shutdown()


async def _organization() -> str:
    slug = f"typescript-{secrets.token_hex(6)}"
    return await new_token(await Organization.create(name="TypeScript", slug=slug))


if __name__ == "__main__":
    main()
