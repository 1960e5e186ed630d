"""The embedded Redis, which is Valkey: on a Unix socket only, with nothing on disk."""

import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from metergraph.embedded.directories import Directories, EmbeddedServerError
from metergraph.embedded.processes import signals_held, spawn, stop

_START_SECONDS = 10.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.01


class RedisServer:
    """One Redis server. `start` and `stop` may be called again after a crash."""

    name = "redis"

    def __init__(self, directories: Directories) -> None:
        self._directories = directories
        self._socket = directories.sockets / "redis.sock"
        self.log = directories.home / "redis.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"unix://{quote(str(self._socket))}?db=0"

    def start(self) -> None:
        """Starts the server and waits until it answers.

        Raises:
            EmbeddedServerError: it does not start.
        """
        with signals_held():
            self.process = spawn(
                [
                    str(self._directories.redis_server),
                    *("--port", "0"),
                    *("--unixsocket", str(self._socket)),
                    *("--unixsocketperm", "700"),
                    *("--save", ""),
                    *("--appendonly", "no"),
                    *("--dir", str(self._directories.sockets)),
                    *("--loglevel", "warning"),
                ],
                # Not SIGTERM: a clean exit removes the socket, which may be its successor's.
                death_signal=signal.SIGKILL,
                account=self._directories.account,
                directory=Path("/"),
                log=self.log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._answers():
                return
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise EmbeddedServerError(f"The embedded Redis did not start. Its log is {self.log}.")

    def stop(self) -> None:
        """Stops the server."""
        if self.process is not None:
            stop(self.process, (signal.SIGTERM, _STOP_SECONDS))
            self.process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
