"""Whom the embedded servers run as.

PostgreSQL refuses to run as root. When we are root, the servers run as an unprivileged account
of their own; otherwise as ourselves.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass

_NAME = "metergraph"
_CREATE = (
    ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME),
    ("adduser", "-S", "-D", "-H", _NAME),  # BusyBox
)
_FALLBACK = "nobody"


@dataclass(frozen=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account for the servers, made when it is missing; None: they run as ourselves.

    `nobody` stands in where no account can be made, such as on a read-only system.
    """
    if os.geteuid() != 0:
        return None
    entry = _look_up(_NAME)
    for command in _CREATE:
        if entry is None:
            _run(command)
            entry = _look_up(_NAME)
    entry = entry or pwd.getpwnam(_FALLBACK)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _look_up(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _run(command: tuple[str, ...]) -> None:
    # Two copies may make the account at once; the look-up afterwards decides.
    try:
        subprocess.run(command, check=False, capture_output=True)
    except OSError:
        return
