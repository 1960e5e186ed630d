"""Files that are whole or not there, and folders to which only one process writes."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class ExportFileError(RuntimeError):
    """A file or folder cannot be used; the message says why."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file, which gets its name only after the block has written all of it.

    A process that is killed leaves a hidden file that ends in `.part`.

    Raises:
        ExportFileError: there is a file with this name.
    """
    if path.exists():
        raise ExportFileError(f"{path} exists already.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, it replaces nothing
        except FileExistsError:
            raise ExportFileError(f"{path} exists already.") from None
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keeps other exports out of a folder, which is created if it is missing.

    Raises:
        ExportFileError: another export is writing to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportFileError(f"Another export is writing to {folder}.") from None
        yield
    finally:
        os.close(descriptor)
