"""PostGraphile on the database of a system, for what the API is measured beside.

Its packages come from npm by the first run, as those of the contract tests do.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tortoise.connection import get_connection

from benchmarks.http_client import HttpConnection
from benchmarks.system import System
from metergraph.asgi.listening import listen
from metergraph.embedded.processes import spawn, stop

NODE_MAJOR = 20
_FOLDER = Path(__file__).parent / "postgraphile"
_HOST = "127.0.0.1"
_READY_SECONDS = 60
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Peer:
    """A running PostGraphile."""

    port: int

    async def connect(self) -> HttpConnection:
        """A connection to it."""
        return await HttpConnection.open(_HOST, self.port, "")


@asynccontextmanager
async def running_peer(system: System) -> AsyncIterator[Peer | None]:
    """PostGraphile inside the block; None where there is no Node.js that it runs on."""
    node = await asyncio.to_thread(_installed)
    if node is None:
        yield None
        return
    tables = await asyncio.to_thread((_FOLDER / "tables.sql").read_text)
    await get_connection("default").execute_script(tables)
    log = system.logs / "postgraphile.log"
    with listen(_HOST, 0) as socket:
        process = spawn(
            [node, "server.mjs"],
            death_signal=signal.SIGTERM,
            environment={
                **os.environ,
                "NODE_ENV": "production",
                "GRAPHILE_ENV": "production",
                "DATABASE_URL": str(system.settings.database_url),
                "POOL_SIZE": str(system.settings.database_pool_size),
                "DESCRIPTOR": str(socket.fileno()),
            },
            directory=_FOLDER,
            log=log,
            pass_fds=[socket.fileno()],
        )
        try:
            peer = Peer(socket.getsockname()[1])
            await _ready(peer, log)
            yield peer
        finally:
            stop(process, (signal.SIGTERM, _STOP_SECONDS))


async def _ready(peer: Peer, log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            connection = await peer.connect()
            await connection.post(b'{"query": "{ __typename }"}')
            await connection.close()
    except TimeoutError:
        said = await asyncio.to_thread(log.read_text)
        raise RuntimeError(f"PostGraphile does not answer: {said[-2000:]}") from None


def _installed() -> str | None:
    """The path of Node.js, with the packages beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < NODE_MAJOR:
        return None
    installed, lock = _FOLDER / "node_modules/.package-lock.json", _FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([npm, "ci", "--silent"], cwd=_FOLDER, check=True)
        installed.touch()
    return node
