"""Starting and stopping child processes, and finding what a killed run has left behind."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from metergraph.embedded.account import Account
from metergraph.embedded.private_files import open_private_log, open_private_text

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.01
_CREATED_TOLERANCE_SECONDS = 2.0


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    log: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a child in a process group of its own, so that Ctrl-C reaches us alone.

    Args:
        command: the program and its arguments.
        death_signal: what the kernel sends it when we die (Linux); elsewhere `left_over` helps.
        account: whom it runs as; None: as ourselves.
        environment: its environment; None: ours.
        directory: its working directory; None: ours.
        log: the file that its output is added to; None: our own standard output and error.
        pass_fds: descriptors that it inherits.
    """
    output = None if log is None else open_private_log(log)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=directory,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509  # see there
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    finally:
        if output is not None:
            output.close()


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child calls before it becomes the program, on Linux.

    The library is loaded here, before the fork: the child only makes a system call. The kernel
    counts the parent's thread, so children are started by the main thread, which lives longest.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def call() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return call


def stop(process: "subprocess.Popen[bytes]", *signals: tuple[signal.Signals, float]) -> None:
    """Stop a child: each signal in turn, with the seconds it has to end, then SIGKILL."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    if process.poll() is None:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class ProcessRecord:
    """A process that we have started; `created` tells it from a later one with its number."""

    pid: int
    created: float


class ProcessRecords:
    """The processes of a data directory, on disk, so that the next run can find them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[str, ProcessRecord] = {}

    def add(self, name: str, pid: int) -> None:
        """Remember that `name` runs as `pid`."""
        with suppress(psutil.NoSuchProcess):
            self._records[name] = ProcessRecord(pid, psutil.Process(pid).create_time())
            self._write()

    def clear(self) -> None:
        """Everything has been stopped."""
        self._records = {}
        self._path.unlink(missing_ok=True)

    def left_over(self) -> dict[str, psutil.Process]:
        """The processes of an earlier run that are still there, by name."""
        try:
            stored = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        found = {}
        for name, (pid, created) in stored.items():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if abs(process.create_time() - created) < _CREATED_TOLERANCE_SECONDS:
                    found[name] = process
        return found

    def _write(self) -> None:
        draft = self._path.with_suffix(".new")
        with open_private_text(draft, "w") as file:
            json.dump(
                {name: [item.pid, item.created] for name, item in self._records.items()}, file
            )
        draft.replace(self._path)


def end(processes: Sequence[psutil.Process], number: signal.Signals, seconds: float) -> None:
    """Stop processes that are not our children: `number`, `seconds` to end, then SIGKILL."""
    for attempt in (number, signal.SIGKILL):
        alive = [process for process in processes if _is_alive(process)]
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(attempt)
        deadline = time.monotonic() + seconds
        while any(map(_is_alive, alive)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    """Whether it still runs. An orphan that nobody collects stays as a zombie and is over."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
