"""Configures uvicorn, and stops it within a time limit without losing answers."""

import math
import socket
import time
from typing import Any

import uvicorn

from config.settings import LogLevel, Settings
from metergraph.asgi.answering_websocket import AnsweringWebSocketProtocol
from metergraph.asgi.app import create_app
from metergraph.asgi.bounded_http import BoundedHttpProtocol
from transport.connections import OpenConnections

_KEEP_ALIVE_SECONDS = 65


def server_config(settings: Settings) -> uvicorn.Config:
    """The configuration of the API's server, which the tests use too."""
    return uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws=AnsweringWebSocketProtocol,
        ws_per_message_deflate=False,  # would cost 40 KB per connection, for short messages
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        # structlog configures the loggers. Logging each request is for debugging.
        log_config=None,
        access_log=settings.log_level is LogLevel.DEBUG,
        server_header=False,
        proxy_headers=False,  # the application reads them; see ForwardedHeaders
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout_seconds)),
    )


class Server(uvicorn.Server):
    """Closes streams, drains requests, then closes WebSockets.

    It takes at most `timeout_graceful_shutdown` and a second. Streams of subscriptions end;
    requests and operations over WebSockets are answered; then WebSockets are closed with 1012,
    which tells their clients to connect to another process.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops the server."""
        begun = time.monotonic()
        seconds = self.config.timeout_graceful_shutdown or 0
        for server in self.servers:
            server.close()
        app: Any = self.config.app
        connections: OpenConnections = app.state.graphql.connections
        await connections.end(seconds)
        left = seconds - (time.monotonic() - begun)
        self.config.timeout_graceful_shutdown = max(1, math.ceil(left))
        await super().shutdown(sockets)
