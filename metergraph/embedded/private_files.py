"""Files and directories that only their owner may read, whatever the umask.

The lock file holds the database's password, and PostgreSQL's log the values of failed statements.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import IO

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def open_private_text(path: Path, mode: str) -> IO[str]:
    """Opens a file as `path.open(mode)` does, and makes it private before anything is written."""
    return open(path, mode, encoding="utf-8", opener=_open_private)


def open_private_log(path: Path) -> IO[bytes]:
    """Opens a private file for appending."""
    return open(path, "ab", opener=_open_private)


def secret_key(directory: Path) -> str:
    """Returns the key that encrypts secrets, made at its first use: the base64 of 32 bytes."""
    path = directory / "secret-key"
    if not path.exists():
        with open_private_text(path, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text().strip()


def make_private(directory: Path) -> None:
    """Closes our own directory, and our files in it, to others; earlier versions left some open.

    Leaves alone what others own, such as the root of a mounted volume.
    """
    if _is_ours(directory.stat()):
        directory.chmod(PRIVATE_DIRECTORY)
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and _is_ours(entry.stat(follow_symlinks=False)):
                os.chmod(entry, PRIVATE_FILE)  # noqa: PTH101  # an entry, not a path


def _open_private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()
