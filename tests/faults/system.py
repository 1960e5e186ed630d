"""A whole system of real processes, each of which can be killed, stopped and started again.

Synchronous, so that it can live in the main thread: the embedded servers die with the thread
that started them.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import redis

from config.settings import Settings
from metergraph.asgi.listening import listen
from metergraph.database.database_url import credentials
from metergraph.database.opening import migrate, opened_database
from metergraph.embedded import EmbeddedServers
from metergraph.embedded.processes import spawn
from tests.commands import environment_of

T = TypeVar("T")

WORKERS = ("worker-1", "worker-2", "worker-3")
API = "api"
_HOST = "127.0.0.1"
_PROJECT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 60.0
_SECONDS_BETWEEN_LOOKS = 0.05
_LAST_OF_LOG = 3_000


class NotInTimeError(AssertionError):
    """Something that had to come true did not."""


@dataclass
class System:
    """Servers, and the processes of Metergraph that run on them."""

    settings: Settings
    servers: EmbeddedServers
    listening: socket.socket
    logs: Path
    processes: "dict[str, subprocess.Popen[bytes]]"

    @property
    def port(self) -> int:
        """The API's port. It is open for as long as the system is, whoever serves it."""
        port: int = self.listening.getsockname()[1]
        return port

    def start(self, *names: str) -> None:
        """Starts the API or workers, by name, unless they run."""
        for name in names:
            if name in self.processes and self.processes[name].poll() is None:
                continue
            descriptor = self.listening.fileno()
            arguments = ["api", "--fd", str(descriptor)] if name == API else ["worker"]
            self.processes[name] = spawn(
                [sys.executable, "-m", "metergraph", *arguments],
                death_signal=signal.SIGKILL,
                environment=self._environment(),
                directory=_PROJECT,
                log=self.logs / f"{name}.log",
                pass_fds=[descriptor] if name == API else [],
            )

    def kill(self, name: str) -> None:
        """Ends a process as a crash would: without a chance to tidy up."""
        self.processes[name].kill()
        self.processes.pop(name).wait()

    def stop(self) -> None:
        """Stops every process of Metergraph, as an operator would."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(_STOP_SECONDS)
        self.processes.clear()

    def restart_postgres(self) -> None:
        """Restarts PostgreSQL, which ends every connection."""
        assert self.servers.postgres is not None
        self.servers.postgres.stop()
        self.servers.postgres.start()

    def crash_postgres(self) -> None:
        """Kills PostgreSQL, which then recovers from its log: it has to be durable."""
        assert self.servers.postgres is not None
        process = self.servers.postgres.process
        assert process is not None
        process.kill()
        process.wait()
        self.servers.postgres.start()

    def stop_redis(self) -> None:
        """Stops Redis, and forgets everything in it."""
        assert self.servers.redis is not None
        self.servers.redis.stop()

    def start_redis(self) -> None:
        """Starts Redis, empty, unless it runs."""
        assert self.servers.redis is not None
        if self.servers.redis.process is None:
            self.servers.redis.start()

    def empty_redis(self) -> None:
        """Takes everything out of Redis, under the feet of those who use it."""
        client = redis.Redis.from_url(str(self.settings.redis_url))
        client.flushall()
        client.close()

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs a coroutine with the database open."""

        async def opened() -> T:
            async with opened_database(self.settings, role="tests"):
                return await work()

        return asyncio.run(opened())

    def value(self, query: str, *values: Any) -> Any:
        """One value from the database, past everything of ours."""

        async def work() -> Any:
            connection = await asyncpg.connect(**credentials(str(self.settings.database_url)))
            try:
                return await connection.fetchval(query, *values)
            finally:
                await connection.close()

        return asyncio.run(work())

    @contextmanager
    def locked(self, query: str, *values: Any) -> Iterator[None]:
        """Holds the locks that a query takes inside the block."""
        with asyncio.Runner() as runner:
            connection = runner.run(asyncpg.connect(**credentials(str(self.settings.database_url))))
            try:
                transaction = connection.transaction()
                runner.run(transaction.start())
                runner.run(connection.execute(query, *values))
                yield
            finally:
                runner.run(connection.close())

    def log_of(self, name: str) -> str:
        """What a process, and those before it, have logged."""
        path = self.logs / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def ended(self) -> dict[str, str]:
        """The processes that ended by themselves, and what they logged last."""
        return {
            name: self.log_of(name)[-_LAST_OF_LOG:]
            for name, process in self.processes.items()
            if process.poll() is not None
        }

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, **environment_of(self.settings, METERGRAPH_LOG_FORMAT="json")}


@contextmanager
def running_system(
    *, durable: bool = False, restore: Callable[[EmbeddedServers], None] | None = None
) -> Iterator[System]:
    """Servers with a migrated database, and nothing else running; gone at the end.

    `restore` starts the servers instead, with the database of a backup.
    """
    home = Path(tempfile.mkdtemp(prefix="metergraph-faults-"))
    home.chmod(0o711)  # the servers may run as another account
    try:
        servers = EmbeddedServers(home / "data", durable=durable)
        try:
            (restore or EmbeddedServers.start)(servers)
            with listen(_HOST, 0) as port:
                settings = Settings(database_url=servers.database_url, redis_url=servers.redis_url)
                system = System(settings, servers, port, home, {})
                if restore is None:
                    system.run(lambda: migrate(settings))
                try:
                    yield system
                finally:
                    for process in system.processes.values():
                        process.kill()
                        process.wait()
        finally:
            servers.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for something outside this process.

    Raises:
        NotInTimeError: it did not happen within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise NotInTimeError(f"not within {seconds:.0f} seconds: {what}")
        time.sleep(_SECONDS_BETWEEN_LOOKS)
