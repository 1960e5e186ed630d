"""Files and directories that only their owner may read, whatever the umask.

The lock has the database's password, PostgreSQL's log the values of failing statements.
"""

import os
from pathlib import Path
from typing import IO

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def open_private_text(path: Path, mode: str) -> IO[str]:
    """As `path.open(mode)`; the file is private before anything is written to it."""
    return open(path, mode, encoding="utf-8", opener=_open_private)


def open_private_log(path: Path) -> IO[bytes]:
    """A private file, opened for adding to it."""
    return open(path, "ab", opener=_open_private)


def make_private(directory: Path) -> None:
    """Close our own directory and the files in it to others; earlier versions left some open.

    What belongs to somebody else, such as the root of a mounted volume, stays as it is.
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
