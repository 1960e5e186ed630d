"""uvicorn as we run it, and how it stops: nobody loses an answer, and it takes so long at most."""

import math
import socket
import time
from typing import Any

import uvicorn

from config.settings import LogLevel, Settings
from metergraph.asgi.answering_websocket import AnsweringWebSocketProtocol
from metergraph.asgi.app import create_app
from metergraph.asgi.bounded_http import BoundedHttpProtocol
from transport.open_connections import OpenConnections

_KEEP_ALIVE_SECONDS = 65


def server_config(settings: Settings) -> uvicorn.Config:
    """How the API is served; the tests serve it so, too."""
    return uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws=AnsweringWebSocketProtocol,
        ws_per_message_deflate=False,  # 40 KB and a compression a connection, for short messages
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        # structlog has the loggers; a line a request is for debugging.
        log_config=None,
        access_log=settings.log_level is LogLevel.DEBUG,
        server_header=False,
        proxy_headers=False,  # the application reads them, from the proxies of the settings
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout_seconds)),
    )


class Server(uvicorn.Server):
    """Ends what would never end by itself before it waits for what does.

    Within `timeout_graceful_shutdown`, and a second for the closing: streams of subscriptions end,
    requests and operations over sockets are answered, and then sockets are closed with 1012, upon
    which clients connect again, elsewhere.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops; see the class."""
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
