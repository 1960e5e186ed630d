"""Starts, restarts and stops the processes of `metergraph dev`."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from metergraph.embedded.processes import signals_held, spawn, stop

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_HEALTHY_SECONDS = 10.0
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 10.0
_PROJECT = Path(__file__).resolve().parent.parent


class Supervised(Protocol):
    """A process that can be restarted, such as an embedded server."""

    name: str
    process: "subprocess.Popen[bytes] | None"

    def start(self) -> None:
        """Starts the process."""

    def stop(self) -> None:
        """Stops the process."""


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
        # -P and the path: our own `config` is imported, not one in the current directory.
        self._command = [sys.executable, "-P", "-m", "metergraph", *arguments]
        path = os.pathsep.join(filter(None, (str(_PROJECT), environment.get("PYTHONPATH"))))
        self._environment = {**environment, "PYTHONPATH": path}
        self._stop_seconds = stop_seconds
        self._pass_fds = pass_fds

    def start(self) -> None:
        """Starts the process."""
        with signals_held():
            self.process = spawn(
                self._command, environment=self._environment, pass_fds=self._pass_fds
            )

    def ask_to_stop(self) -> None:
        """Sends SIGTERM without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Stops the process and waits for its end."""
        if self.process is not None:
            stop(self.process, (signal.SIGTERM, self._stop_seconds))
            self.process = None


class Supervisor:
    """Watches processes and restarts those that end, but not those that have a task to finish."""

    def __init__(self) -> None:
        self._children: list[Supervised] = []
        self._tasks: list[Supervised] = []
        self._started: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def add(self, child: Supervised) -> None:
        """Watches a child, and starts it if it does not run yet."""
        self._children.append(child)
        if child.process is None:
            child.start()
        self._started[child.name] = time.monotonic()

    def add_task(self, child: Supervised) -> None:
        """Starts a child that ends by itself; it is stopped with the others if it has not."""
        self._tasks.append(child)
        child.start()

    def watch(self, check: Callable[[], None], until: Callable[[], bool] = lambda: False) -> None:
        """Keeps the children running until `until` returns true or `check` raises."""
        while not until():
            check()
            for child in self._children:
                self._look_after(child)
            for task in self._tasks:
                self._collect(task)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stops all commands at once and waits for each; the owner of the servers stops those."""
        everything = [*self._children, *self._tasks]
        commands = [child for child in everything if isinstance(child, Command)]
        for command in commands:
            command.ask_to_stop()
        for command in commands:
            command.stop()

    def _collect(self, task: Supervised) -> None:
        if task.process is not None and (code := task.process.poll()) is not None:
            task.process = None
            if code:
                _log.error("%s failed (%s)", task.name, _reason(code))

    def _look_after(self, child: Supervised) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.process = None
            self._due[child.name] = time.monotonic() + self._delay(child)
            _log.error("%s stopped (%s); restarting it", child.name, _reason(code))
        if time.monotonic() >= self._due[child.name]:
            try:
                child.start()
            except (OSError, RuntimeError) as error:
                self._due[child.name] = time.monotonic() + self._delay(child)
                _log.error("%s does not start: %s", child.name, error)
                return
            self._started[child.name] = time.monotonic()

    def _delay(self, child: Supervised) -> float:
        """Seconds to wait: longer each time that the child fails soon after its start."""
        lived = time.monotonic() - self._started.get(child.name, 0.0)
        failures = 0 if lived > _HEALTHY_SECONDS else self._failures.get(child.name, 0) + 1
        self._failures[child.name] = failures
        if failures == 0:
            return 0.0
        return min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** (failures - 1))


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
