"""Files and directories that only their owner may read, whatever the umask.

The lock file holds the database's password, and PostgreSQL's log the values of failed statements.
"""

import base64
import os
import secrets
from collections.abc import Callable
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
    return kept_text(
        directory / "secret-key", lambda: base64.b64encode(secrets.token_bytes(32)).decode()
    )


def kept_text(path: Path, make: Callable[[], str]) -> str:
    """Returns the text of a private file. At its first use, `make` makes the text.

    A process that is killed leaves no file without its text, and two first uses at once agree.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            with open_private_text(draft, "x") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(draft)  # atomically, and not over one that is there
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
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
