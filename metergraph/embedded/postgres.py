"""The embedded PostgreSQL: a cluster in the data directory, reached by a Unix socket only."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil

from metergraph.embedded.directories import Directories
from metergraph.embedded.errors import EmbeddedServerError
from metergraph.embedded.private_files import open_private_log
from metergraph.embedded.processes import end, spawn, stop

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
    # Tables that grow by thousands of rows a second are analysed before plans go bad.
    "autovacuum_naptime": "15s",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
# For tests, which do not lose power. Commits outlive a killed server all the same.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


_LOCK = "postmaster.pid"
_SOCKET_LOCK = ".s.PGSQL.5432.lock"


class PostgresServer:
    """One PostgreSQL server. `start` and `stop` may be called again after a crash.

    Args:
        directories: where everything is.
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
        """Start the server, making the cluster when there is none, and wait until it answers.

        Raises:
            EmbeddedServerError: it does not start; the message says what its log says.
        """
        self._check_version()
        self._end_left_over()
        if not self.data.exists():
            self._make_cluster()
        configuration = dict(_CONFIGURATION)
        configuration["unix_socket_directories"] = f'"{self._directories.sockets}"'
        if not self._durable:
            configuration |= _NOT_DURABLE
        options = [f"-c{name}={value}" for name, value in configuration.items()]
        self._start_process(options)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server: fast shutdown, and immediate shutdown when that takes too long."""
        if self.process is not None:
            stop(
                self.process,
                (signal.SIGINT, _STOP_SECONDS),
                (signal.SIGQUIT, _STOP_SECONDS),
            )
            self.process = None

    def _start_process(self, options: list[str]) -> None:
        self.process = spawn(
            [
                str(self._directories.postgres_programs / "postgres"),
                "-D",
                str(self.data),
                *options,
            ],
            death_signal=signal.SIGINT,
            account=self._directories.account,
            environment=_ENVIRONMENT,
            directory=Path("/"),
            log=self.log,
        )

    def _wait_until_ready(self) -> None:
        """Wait for the last line of postmaster.pid, as pg_ctl does."""
        deadline = time.monotonic() + _START_SECONDS
        while self.process is not None and time.monotonic() < deadline:
            if self.process.poll() is not None:
                self._fail("stopped at once")
            lines = _lines(self.data / _LOCK)
            if len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7] == "ready":
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
                f"The data in {self.data} is of PostgreSQL {found}, the embedded server is "
                f"{_MAJOR_VERSION}. Set METERGRAPH_DATA_DIR to another directory."
            )

    def _end_left_over(self) -> None:
        """End what a killed server has left: itself, or backends that outlived it.

        PostgreSQL refuses to start beside a process that one of its lock files names, so the files
        stay for it to check. They go where that process has ended and nobody collects it, or is no
        server of this cluster: a number used again would stop it for ever.
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
        """Make the cluster beside its place, then move it there: whole or not at all."""
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
                # Whoever may enter the directory of the socket is the owner or root.
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

    def _run(self, command: list[str], text: str | None = None) -> None:
        account = self._directories.account
        done = subprocess.run(
            command,
            check=False,
            input=None if text is None else text.encode(),
            stdin=subprocess.DEVNULL if text is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        with open_private_log(self.log) as log:
            log.write(done.stdout)
        if done.returncode != 0:
            self._fail(f"could not make its cluster ({Path(command[0]).name} failed)")


def _lines(lock: Path) -> list[str]:
    """The lines of a lock file; none where it is gone."""
    try:
        return [line.strip() for line in lock.read_text().splitlines()]
    except OSError:
        return []
