"""`metergraph api`: serve the API."""

import gc
import socket

import click
import uvicorn

from config.app import create_app
from config.connections import export, with_running_servers
from config.listening import listen, url
from config.settings import LogLevel, Settings, get_settings

_KEEP_ALIVE_SECONDS = 65


@click.command()
@click.option("--host", help="The address to listen on.  [default: METERGRAPH_HOST]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: METERGRAPH_PORT]")
@click.option("--fd", type=int, hidden=True, help="A socket that listens already.")
def command(host: str | None, port: int | None, fd: int | None) -> None:
    """Serve the API, until SIGTERM or Ctrl-C."""
    settings = with_running_servers(get_settings())
    export(settings)
    chosen_host = host or settings.host
    chosen_port = settings.port if port is None else port
    listening = listen(chosen_host, chosen_port) if fd is None else socket.socket(fileno=fd)
    if fd is None:
        click.echo(f"Listening on {url(listening, chosen_host)}", err=True)
    server = uvicorn.Server(uvicorn_config(settings))
    # What is loaded now stays: the collector need not walk it while requests wait.
    gc.freeze()
    server.run(sockets=[listening])


def uvicorn_config(settings: Settings) -> uvicorn.Config:
    """How the API is served: also by tests and benchmarks that serve it themselves."""
    return uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # 40 KB and a compression a connection, for short messages
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        # structlog has the loggers; a line a request is for debugging.
        log_config=None,
        access_log=settings.log_level is LogLevel.DEBUG,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout_seconds)),
    )
