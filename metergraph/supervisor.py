"""Keeps the processes of `metergraph dev` running: starts them, starts them again, stops them."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from metergraph.embedded.processes import ProcessRecords, spawn, stop

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_HEALTHY_SECONDS = 10.0
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 10.0
_PROJECT = Path(__file__).resolve().parent.parent


class Supervised(Protocol):
    """Something with a process that can be started again, such as an embedded server."""

    name: str
    process: "subprocess.Popen[bytes] | None"

    def start(self) -> None:
        """Start the process."""

    def stop(self) -> None:
        """Stop the process."""


class Command:
    """A `metergraph` command as a child process.

    Args:
        name: what it is called in the log.
        arguments: the command line after `metergraph`.
        environment: its environment.
        stop_seconds: how long it may take to end.
        pass_fds: descriptors that it inherits.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        stop_seconds: float,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        # -P and the path: a folder called config where we were started must not be ours.
        self._command = [sys.executable, "-P", "-m", "metergraph", *arguments]
        path = os.pathsep.join(filter(None, (str(_PROJECT), environment.get("PYTHONPATH"))))
        self._environment = {**environment, "PYTHONPATH": path}
        self._stop_seconds = stop_seconds
        self._pass_fds = pass_fds

    def start(self) -> None:
        """Start the process."""
        self.process = spawn(
            self._command,
            death_signal=signal.SIGTERM,
            environment=self._environment,
            pass_fds=self._pass_fds,
        )

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Stop the process and wait for its end."""
        if self.process is not None:
            stop(self.process, (signal.SIGTERM, self._stop_seconds))
            self.process = None


class Supervisor:
    """Watches processes and starts again those that end.

    Args:
        records: where their numbers are written for the next run.
    """

    def __init__(self, records: ProcessRecords) -> None:
        self._records = records
        self._children: list[Supervised] = []
        self._started: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def add(self, child: Supervised) -> None:
        """Watch a child, and start it if it does not run yet."""
        self._children.append(child)
        if child.process is None:
            child.start()
        self._note(child)

    def add_all(self, children: Sequence[Supervised]) -> None:
        """Watch and start several children."""
        for child in children:
            self.add(child)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep the children running until `until` says so, asked at every look."""
        while not until():
            for child in self._children:
                self._look_after(child)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the commands, all at once, then wait for each; servers are their owner's."""
        commands = [child for child in self._children if isinstance(child, Command)]
        for command in commands:
            command.ask_to_stop()
        for command in commands:
            command.stop()

    def _note(self, child: Supervised) -> None:
        self._started[child.name] = time.monotonic()
        if child.process is not None:
            self._records.add(child.name, child.process.pid)

    def _look_after(self, child: Supervised) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.process = None
            self._due[child.name] = time.monotonic() + self._delay(child)
            _log.error("%s stopped (%s); starting it again", child.name, _reason(code))
        if time.monotonic() >= self._due[child.name]:
            try:
                child.start()
            except (OSError, RuntimeError) as error:
                self._due[child.name] = time.monotonic() + self._delay(child)
                _log.error("%s does not start: %s", child.name, error)
                return
            self._note(child)

    def _delay(self, child: Supervised) -> float:
        """Seconds to wait: longer each time that it fails soon after its start."""
        lived = time.monotonic() - self._started.get(child.name, 0.0)
        failures = 0 if lived > _HEALTHY_SECONDS else self._failures.get(child.name, 0) + 1
        self._failures[child.name] = failures
        return (
            0.0
            if failures == 0
            else min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** (failures - 1))
        )


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
