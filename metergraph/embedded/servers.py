"""Both embedded servers of a data directory, under its lock."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from metergraph.embedded.directories import (
    Directories,
    EmbeddedServerError,
    make_home,
    prepare_directories,
)
from metergraph.embedded.postgres import PostgresServer
from metergraph.embedded.private_files import open_private_text
from metergraph.embedded.redis import RedisServer

_LOCK = "lock"


class AlreadyRunningError(EmbeddedServerError):
    """Another process runs the embedded servers of this data directory."""


@dataclass(frozen=True)
class Addresses:
    """Where the servers of a data directory are reached, and which process runs them.

    The last two are settings that a worker beside `metergraph dev` must share with it.
    """

    pid: int
    database_url: str | None
    redis_url: str | None
    api_url: str | None = None
    secret_key: str | None = None
    webhook_allow_insecure: bool = False


class EmbeddedServers:
    """PostgreSQL and Redis of a data directory, run by this process alone.

    Args:
        data_dir: the data directory; it is created if it is missing.
        postgres: whether PostgreSQL is wanted.
        redis: whether Redis is wanted.
        durable: False turns PostgreSQL's fsync off, for tests only.

    Raises:
        AlreadyRunningError: another process runs them.
        EmbeddedServerError: they cannot run here.
    """

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
    ) -> None:
        self.home = make_home(data_dir)
        self._lock = _take_lock(self.home / _LOCK)
        self.postgres: PostgresServer | None = None
        self.redis: RedisServer | None = None
        self._sockets_lock: IO[str] | None = None
        if postgres or redis:
            directories = prepare_directories(self.home)
            self._sockets_lock = self._lock_sockets(directories)
            self.postgres = PostgresServer(directories, durable=durable) if postgres else None
            self.redis = RedisServer(directories) if redis else None

    @property
    def servers(self) -> list[PostgresServer | RedisServer]:
        """The wanted servers, in the order in which they start."""
        return [server for server in (self.postgres, self.redis) if server is not None]

    @property
    def database_url(self) -> str | None:
        """The URL of the embedded PostgreSQL; None if it is not wanted."""
        return None if self.postgres is None else self.postgres.url

    @property
    def redis_url(self) -> str | None:
        """The URL of the embedded Redis; None if it is not wanted."""
        return None if self.redis is None else self.redis.url

    def start(self) -> None:
        """Starts the servers.

        Raises:
            EmbeddedServerError: one does not start; none is left running.
        """
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self.stop()
            raise

    def publish(self, addresses: Addresses) -> None:
        """Tells other processes of this data directory where the servers are."""
        self._lock.seek(0)
        self._lock.truncate()
        json.dump(asdict(addresses), self._lock)
        self._lock.flush()

    def stop(self) -> None:
        """Stops the servers and releases the data directory."""
        for server in reversed(self.servers):
            server.stop()
        with suppress(ValueError):
            self._lock.truncate(0)
            self._lock.close()
        if self._sockets_lock is not None:
            self._sockets_lock.close()

    def _lock_sockets(self, directories: Directories) -> IO[str]:
        """Locks the sockets; a copy of a data directory has its id, and so the same sockets."""
        lock = open_private_text(directories.sockets / _LOCK, "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            self._lock.close()
            raise AlreadyRunningError(
                f"{self.home} is a copy of a data directory whose servers are running. Stop those "
                f"first, or remove {self.home / 'id'} to give the copy an id of its own."
            ) from None
        return lock


@contextmanager
def embedded_servers(
    data_dir: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
) -> Iterator[EmbeddedServers]:
    """The embedded servers, running inside the block. See `EmbeddedServers`."""
    servers = EmbeddedServers(data_dir, postgres=postgres, redis=redis, durable=durable)
    servers.start()
    try:
        servers.publish(Addresses(os.getpid(), servers.database_url, servers.redis_url))
        yield servers
    finally:
        servers.stop()


def running_addresses(data_dir: Path) -> Addresses | None:
    """Where another process runs the servers of `data_dir`; None if none does."""
    path = data_dir.expanduser().resolve() / _LOCK
    try:
        lock = path.open()
    except OSError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with suppress(ValueError, TypeError):
                return Addresses(**json.load(lock))
        return None


def _take_lock(path: Path) -> IO[str]:
    lock = open_private_text(path, "a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        found = running_addresses(path.parent)
        where = "" if found is None else f" by process {found.pid}"
        if found is not None and found.api_url is not None:
            where += f", at {found.api_url}"
        raise AlreadyRunningError(
            f"Metergraph is already running on {path.parent}{where}. Stop it first, or set "
            "METERGRAPH_DATA_DIR to another directory."
        ) from None
    lock.truncate(0)
    return lock
