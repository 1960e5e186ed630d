"""`metergraph api`: serves the API."""

import gc
import signal
import socket
from types import FrameType
from typing import NoReturn

import click
import structlog

from config.settings import Settings, get_settings, variable_name
from metergraph.asgi.listening import is_public, listen, url
from metergraph.asgi.server import Server, server_config
from metergraph.connections import export, with_running_servers
from metergraph.tracing import tracing

_log = structlog.get_logger(__name__)

_OBJECTS_BETWEEN_COLLECTIONS = 10_000


@click.command()
@click.option("--host", help="The address to listen on.  [default: METERGRAPH_HOST]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: METERGRAPH_PORT]")
@click.option("--fd", type=int, hidden=True, help="A socket that is already listening.")
def command(host: str | None, port: int | None, fd: int | None) -> None:
    """Serve the API, until SIGTERM or Ctrl-C."""
    settings = with_running_servers(get_settings())
    export(settings)
    chosen_host = host or settings.host
    chosen_port = settings.port if port is None else port
    listening = listen(chosen_host, chosen_port) if fd is None else socket.socket(fileno=fd)
    if fd is None:
        click.echo(f"Listening on {url(listening, chosen_host)}", err=True)
    if is_public(listening):
        _warn_of_what_strangers_see(settings)
    # After a graceful stop, uvicorn raises the signal again; that is a success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    server = Server(server_config(settings))
    # What is loaded now stays, so the collector need not walk it while requests wait.
    gc.freeze()
    # An answer has thousands of objects but no cycles. Looking for cycles at every 700 of them took
    # a fifth of the time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with tracing("api"):
        server.run(sockets=[listening])


def _warn_of_what_strangers_see(settings: Settings) -> None:
    """Warns if features for developers are open without a token."""
    shown = [field for field in ("graphiql", "introspection") if getattr(settings, field)]
    if shown:
        _log.warning(
            "anyone on the network can read the API's schema",
            turn_off=" ".join(f"{variable_name(field)}=false" for field in shown),
        )


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
