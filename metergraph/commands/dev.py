"""`metergraph dev`: runs servers, API and worker, with a migrated database and a demo."""

import asyncio
import http.client
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from config.settings import Settings, get_settings, variable_name
from metergraph.asgi.listening import listen, local_url
from metergraph.connections import export
from metergraph.database.migrations import is_migrated
from metergraph.embedded import Addresses, EmbeddedServers
from metergraph.embedded.private_files import secret_key
from metergraph.supervisor import Command, Supervisor

if TYPE_CHECKING:
    from metergraph.demo.organization import Demo

_EXTRA_STOP_SECONDS = 2.0
_READY_TIMEOUT_SECONDS = 2.0
_REDIS_SECONDS = 5.0
_OLDEST_REDIS = 6


class UnsuitableRedisError(RuntimeError):
    """Metergraph cannot use this Redis; the message says why."""


class StopError(BaseException):
    """A signal asks us to stop."""


class Signals:
    """Signals that ask us to stop: each raises StopError wherever we are.

    Python ignores what a handler raises in some places, such as the hooks of a fork, so whoever
    waits calls `check`.
    """

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._asked = False

    def listen(self) -> None:
        """Raises StopError at the next signal."""
        for number in self.numbers:
            signal.signal(number, self._stop)

    def ignore(self) -> None:
        """Ignores signals while we stop, which takes a few seconds."""
        for number in self.numbers:
            signal.signal(number, signal.SIG_IGN)

    def check(self) -> None:
        """Raises StopError if a signal has come."""
        if self._asked:
            raise StopError

    def _stop(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self._asked = True
        raise StopError


@click.command(short_help="Run everything, with a demo organization.")
@click.option("--host", help="The address to listen on.  [default: METERGRAPH_HOST]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: METERGRAPH_PORT]")
@click.option(
    "--history/--no-history",
    default=True,
    show_default=True,
    help="Fill a new demo organization with 90 days, in the background.",
)
def command(host: str | None, port: int | None, *, history: bool) -> None:
    """Run everything: embedded servers, the API and a worker, with a demo organization.

    METERGRAPH_DATABASE_URL and METERGRAPH_REDIS_URL name servers to use instead of embedded ones.
    """
    settings = get_settings()
    chosen_host = host or settings.host
    signals = Signals()
    signals.listen()
    try:
        servers = EmbeddedServers(
            settings.data_dir,
            postgres=settings.database_url is None,
            redis=settings.redis_url is None,
        )
        try:
            with listen(chosen_host, settings.port if port is None else port) as listening:
                api_url = local_url(listening, chosen_host)
                _run(settings, servers, listening, api_url, signals, history=history)
        finally:
            signals.ignore()
            servers.stop()
    except StopError:
        click.echo("Stopped.", err=True)


def _run(
    settings: Settings,
    servers: EmbeddedServers,
    listening: socket.socket,
    api_url: str,
    signals: Signals,
    *,
    history: bool,
) -> None:
    if settings.redis_url is not None:
        _check_redis(settings.redis_url)
    click.echo(f"Starting in {servers.home} ...", err=True)
    servers.start()
    key = settings.secret_key or SecretStr(secret_key(servers.home))
    chosen = settings.model_copy(
        update={
            "database_url": settings.database_url or servers.database_url,
            "redis_url": settings.redis_url or servers.redis_url,
            "secret_key": key,
            "webhook_allow_insecure": True,
        }
    )
    export(chosen)
    servers.publish(
        Addresses(
            os.getpid(),
            chosen.database_url,
            chosen.redis_url,
            api_url,
            key.get_secret_value(),
            chosen.webhook_allow_insecure,
        )
    )
    supervisor = Supervisor()
    try:
        for server in servers.servers:
            supervisor.add(server)
        commands = _commands(chosen, listening)
        # Commands take a while to start. Meanwhile we prepare the demo, unless it migrates first.
        demo = None
        if not asyncio.run(is_migrated(str(chosen.database_url))):
            demo = _prepare(chosen, servers)
        for command_ in commands:
            supervisor.add(command_)
        demo = demo or _prepare(chosen, servers)
        supervisor.watch(signals.check, until=lambda: _is_ready(api_url))
        _print_welcome(servers, api_url, demo.token)
        if history and demo.is_untouched:
            click.echo("Filling the demo organization with 90 days of data ...", err=True)
            supervisor.add_task(_history(chosen))
        supervisor.watch(signals.check)
    finally:
        signals.ignore()
        supervisor.stop()


def _check_redis(redis_url: str) -> None:
    """Refuses an unusable Redis at once; API and worker would only log it and go on without.

    Raises:
        RedisError: it cannot be reached, or refuses our commands.
        UnsuitableRedisError: it is too old.
    """
    from redis import Redis  # noqa: PLC0415  # not needed for the embedded one

    with Redis.from_url(redis_url, socket_connect_timeout=_REDIS_SECONDS) as client:
        version = str(client.info("server")["redis_version"])
    if int(version.partition(".")[0]) < _OLDEST_REDIS:
        raise UnsuitableRedisError(
            f"METERGRAPH_REDIS_URL names Redis {version}; Metergraph needs {_OLDEST_REDIS} or "
            "later."
        )


def _commands(settings: Settings, listening: socket.socket) -> list[Command]:
    stop_seconds = settings.shutdown_timeout_seconds + _EXTRA_STOP_SECONDS
    descriptor = listening.fileno()
    return [
        Command(
            "api",
            ["api", "--fd", str(descriptor)],
            os.environ,
            stop_seconds=stop_seconds,
            pass_fds=[descriptor],
        ),
        Command("worker", ["worker"], os.environ, stop_seconds=stop_seconds),
    ]


def _history(settings: Settings) -> Command:
    """The command that makes the history; it must not follow a token to another API."""
    elsewhere = {variable_name("api_url"), variable_name("token")}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    stop_seconds = settings.shutdown_timeout_seconds
    return Command("demo", ["demo", "--duration", "0"], environment, stop_seconds=stop_seconds)


def _prepare(settings: Settings, servers: EmbeddedServers) -> "Demo":
    # Importing the ORM takes half a second, during which the API and the worker start too.
    from metergraph.demo.organization import prepare_demo  # noqa: PLC0415  # see above

    return asyncio.run(prepare_demo(settings, servers.home))


def _is_ready(api_url: str) -> bool:
    address = urlsplit(api_url)
    connection = http.client.HTTPConnection(
        str(address.hostname), address.port, timeout=_READY_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _print_welcome(servers: EmbeddedServers, api_url: str, token: str) -> None:
    socket_url = api_url.replace("http", "ws", 1)
    lines = [
        ("Dashboard", f"{api_url}/#token={token}"),
        ("GraphiQL", f"{api_url}/graphql#token={token}"),
        ("GraphQL", f"{api_url}/graphql"),
        ("Live", f"{socket_url}/graphql"),
        ("Health", f"{api_url}/readyz"),
        ("Token", f"{token}  (organization demo, all scopes)"),
    ]
    if servers.postgres is not None:
        lines.append(("Data", str(servers.postgres.data)))
    click.echo("\nMetergraph is ready.\n")
    for name, value in lines:
        click.echo(f"  {name:<9} {value}")
    click.echo(f"\n`{_program()} demo` streams events for you to watch. Ctrl-C stops everything.\n")


def _program() -> str:
    """How `metergraph` was called; `make run` calls `.venv/bin/metergraph`."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "metergraph" else "metergraph"
