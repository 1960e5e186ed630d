"""The embedded PostgreSQL: a cluster in the data directory, which listens on a Unix socket only."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil

from metergraph.embedded.account import identity
from metergraph.embedded.directories import Directories, EmbeddedServerError
from metergraph.embedded.private_files import open_private_log
from metergraph.embedded.processes import end, signals_held, spawn, stop

_MAJOR_VERSION = "18"
_DATABASE = "metergraph"
_USER = "metergraph"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.01
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "150",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # Analyses tables that grow by thousands of rows a second before their plans go bad.
    "autovacuum_naptime": "15s",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
# For tests, which need not survive a power cut. Commits still survive a killed server.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}

_LOCK = "postmaster.pid"
_SOCKET_LOCK = ".s.PGSQL.5432.lock"


class PostgresServer:
    """One PostgreSQL server. `start` and `stop` may be called again after a crash.

    Args:
        directories: where its data, sockets and programs are.
        durable: False turns fsync off, for tests only.
    """

    name = "postgres"

    def __init__(self, directories: Directories, *, durable: bool = True) -> None:
        self._directories = directories
        self._durable = durable
        self.data = directories.servers / "postgresql"
        self.log = directories.home / "postgresql.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of the database `metergraph`."""
        return f"postgresql://{_USER}@/{_DATABASE}?host={quote(str(self._directories.sockets))}"

    def start(self) -> None:
        """Starts the server and waits until it is ready; makes the cluster if there is none.

        Raises:
            EmbeddedServerError: it does not start; the message has the end of its log.
        """
        self._check_version()
        self._end_left_over()
        if not self.data.exists():
            self._make_cluster()
        configuration = dict(_CONFIGURATION)
        configuration["unix_socket_directories"] = f'"{self._directories.sockets}"'
        if not self._durable:
            configuration |= _NOT_DURABLE
        programs = self._directories.postgres_programs
        options = [f"-c{name}={value}" for name, value in configuration.items()]
        with signals_held():
            self.process = spawn(
                [str(programs / "postgres"), "-D", str(self.data), *options],
                death_signal=signal.SIGINT,
                account=self._directories.account,
                environment=_ENVIRONMENT,
                directory=Path("/"),
                log=self.log,
            )
        self._wait_until_ready(self.process)

    def stop(self) -> None:
        """Stops the server: a fast shutdown, then an immediate one if that takes too long."""
        if self.process is not None:
            stop(self.process, (signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, _STOP_SECONDS))
            self.process = None

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """Waits for the last line of postmaster.pid, as pg_ctl does."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._fail("stopped at once")
            lines = _lines(self.data / _LOCK)
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7] == "ready":
                return
            time.sleep(_POLL_SECONDS)
        self.stop()
        self._fail(f"did not become ready within {_START_SECONDS:.0f} seconds")

    def _fail(self, what: str) -> None:
        lines = self.log.read_text(errors="replace").splitlines()[-5:] if self.log.exists() else []
        said = "\n".join(f"  {line}" for line in lines)
        raise EmbeddedServerError(f"The embedded PostgreSQL {what}. Its log, {self.log}:\n{said}")

    def _check_version(self) -> None:
        path = self.data / "PG_VERSION"
        if path.exists() and (found := path.read_text().strip()) != _MAJOR_VERSION:
            raise EmbeddedServerError(
                f"The data in {self.data} belongs to PostgreSQL {found}; the embedded server is "
                f"{_MAJOR_VERSION}. Set METERGRAPH_DATA_DIR to another directory."
            )

    def _end_left_over(self) -> None:
        """Ends what a killed run has left: the server, or backends that outlived it.

        PostgreSQL refuses to start while the process that a lock file names exists. After we have
        ended our own, such a process is a zombie or has taken over the number, so the file goes.
        """
        locks = (self.data / _LOCK, self._directories.sockets / _SOCKET_LOCK)
        if not any(lock.exists() for lock in locks):
            return
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        end(left, signal.SIGINT, _STOP_SECONDS)
        for lock in locks:
            lines = _lines(lock)
            if lines and lines[0].isdigit() and psutil.pid_exists(int(lines[0])):
                lock.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return bool(process.name() == "postgres" and process.cwd() == str(self.data))
        except psutil.Error:
            return False

    def _make_cluster(self) -> None:
        """Makes the cluster in a draft directory and then moves it: whole or not at all."""
        draft = self.data.with_suffix(".new")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        account = self._directories.account
        if account is not None:
            os.chown(draft, account.uid, account.gid)
        programs = self._directories.postgres_programs
        self._run(
            [
                str(programs / "initdb"),
                f"--pgdata={draft}",
                f"--username={_USER}",
                # Only the owner and root may enter the directory of the socket.
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if self._durable else ["--no-sync"]),
            ]
        )
        self._run(
            [str(programs / "postgres"), "--single", "-D", str(draft), "postgres"],
            f"CREATE DATABASE {_DATABASE}\n",
        )
        draft.rename(self.data)

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(
            command,
            check=False,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            **identity(self._directories.account),
        )
        with open_private_log(self.log) as log:
            log.write(done.stdout)
        if done.returncode != 0:
            self._fail(f"could not create its cluster ({Path(command[0]).name} failed)")


def _lines(lock: Path) -> list[str]:
    """The lines of a lock file; none if there is no such file."""
    try:
        return [line.strip() for line in lock.read_text().splitlines()]
    except OSError:
        return []
