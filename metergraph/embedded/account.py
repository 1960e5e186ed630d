"""The account that the embedded servers run as.

PostgreSQL refuses to run as root. So root runs the servers under their own unprivileged account.
Other users run them as themselves.
"""

import os
import pwd
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TypedDict

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


class Identity(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that choose the user of a program."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: Account | None) -> Identity:
    """The identity for an account; None: the program runs as we do."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def server_account() -> Account | None:
    """Returns the servers' account, and creates it if it is missing; None: they run as we do.

    Falls back on `nobody` if no account can be created, such as on a read-only system.
    """
    if os.geteuid() != 0:
        return None
    entry = _look_up(_NAME)
    for command in _CREATE:
        if entry is None:
            # Two copies may create it at once; the look-up decides.
            with suppress(OSError):
                subprocess.run(command, check=False, capture_output=True)
            entry = _look_up(_NAME)
    entry = entry or pwd.getpwnam(_FALLBACK)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _look_up(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
