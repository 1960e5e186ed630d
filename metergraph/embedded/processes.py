"""Starts and stops child processes, and stops those that a killed run has left."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from metergraph.embedded.account import Account, identity
from metergraph.embedded.private_files import open_private_log

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.01
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_held() -> Iterator[None]:
    """Holds the signals that ask us to stop until the block ends.

    A handler that raises while a child is started would lose the child: nothing would stop it. A
    mask of signals would hold those of this thread only.
    """
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
    try:
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda caught, _frame: held.append(caught))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for caught in held:
            signal.raise_signal(caught)


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    log: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Starts a child in its own session, so that Ctrl-C reaches only us.

    Keep the child within `signals_held`, so that whoever stops the children knows of it.

    Args:
        command: the program and its arguments.
        death_signal: what the kernel sends the child when we die.
        account: the account it runs under; None: ours.
        environment: its environment; None: ours.
        directory: its working directory; None: ours.
        log: a file to append its output to; None: our own standard output and error.
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
            **identity(account),
        )
    finally:
        if output is not None:
            output.close()


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Returns what the child calls before it becomes the program.

    The library is loaded here, before the fork, so that the child only makes a system call. The
    kernel watches the thread that started the child: start children from the main thread.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def call() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return call


def stop(process: "subprocess.Popen[bytes]", *signals: tuple[signal.Signals, float]) -> None:
    """Stops a child: sends each signal and waits its seconds, then sends SIGKILL."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    if process.poll() is None:
        process.kill()
        process.wait()


def end(processes: Sequence[psutil.Process], number: signal.Signals, seconds: float) -> None:
    """Stops processes that are not our children: sends `number`, waits, then sends SIGKILL."""
    for attempt in (number, signal.SIGKILL):
        alive = [process for process in processes if _is_alive(process)]
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(attempt)
        deadline = time.monotonic() + seconds
        while any(map(_is_alive, alive)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process runs. A zombie that no parent collects does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
