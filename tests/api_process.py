"""`metergraph api` as a process of its own, on a port that outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from config.settings import Settings
from metergraph.asgi.listening import listen
from tests.commands import environment_of


@dataclass
class Process:
    """The API. Whoever serves it next inherits the port, and the clients that wait there."""

    settings: Settings
    listening: socket.socket
    variables: Mapping[str, str]
    running: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def url(self) -> str:
        """Such as http://127.0.0.1:40123."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def start(self) -> None:
        """Starts it."""
        descriptor = self.listening.fileno()
        os.set_inheritable(descriptor, True)  # its own signature
        self.running = subprocess.Popen(
            [sys.executable, "-m", "metergraph", "api", "--fd", str(descriptor)],
            env={
                **os.environ,
                **environment_of(self.settings, **self.variables),
            },
            pass_fds=[descriptor],
        )

    def ask_to_stop(self) -> None:
        """Sends SIGTERM, without waiting."""
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)

    def stopped(self, seconds: float) -> tuple[int, float]:
        """The exit code, and how long it took from now; raises TimeoutExpired."""
        assert self.running is not None
        begun = time.monotonic()
        code = self.running.wait(seconds)
        return code, time.monotonic() - begun


@contextmanager
def api_process(settings: Settings, **variables: str) -> Iterator[Process]:
    """A running API, killed at the end if it runs still."""
    with listen("127.0.0.1", 0) as listening:
        process = Process(settings, listening, variables)
        process.start()
        try:
            yield process
        finally:
            if process.running is not None:
                process.running.kill()
                process.running.wait()
