"""The system under test: embedded servers in a folder of their own, the API and a worker."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from benchmarks.http_client import HttpConnection
from config.settings import Settings, variable_name
from metergraph.asgi.listening import listen
from metergraph.connections import export
from metergraph.database.database_url import credentials
from metergraph.database.opening import migrate, opened_database
from metergraph.embedded import embedded_servers
from metergraph.embedded.private_files import secret_key
from metergraph.embedded.processes import spawn, stop
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import AccessToken, Meter, Organization
from schema.secrets import hash_secret, new_secret

_PROJECT = Path(__file__).resolve().parent.parent
_HOST = "127.0.0.1"
_STOP_SECONDS = 15.0
_READY_SECONDS = 30.0


@dataclass(frozen=True)
class Tenant:
    """An organization, and a token that may do everything in it."""

    organization: Organization
    token: str
    meters: tuple[Meter, ...] = ()


@dataclass
class System:
    """A running system. The database is open in this process too, for setting up and checking."""

    settings: Settings
    port: int
    logs: Path
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def start(self, name: str, *arguments: str, pass_fds: Sequence[int] = ()) -> None:
        """Starts a `metergraph` command as a process called `name`."""
        self.processes[name] = spawn(
            [sys.executable, "-m", "metergraph", *arguments],
            death_signal=signal.SIGTERM,
            environment={**os.environ, variable_name("log_level"): "warning"},
            directory=_PROJECT,
            log=self.logs / f"{name}.log",
            pass_fds=pass_fds,
        )

    def stop(self, name: str) -> None:
        """Ends a process, and waits for its end."""
        stop(self.processes.pop(name), (signal.SIGTERM, _STOP_SECONDS))

    async def connect(self, token: str) -> HttpConnection:
        """A connection to the API."""
        return await HttpConnection.open(_HOST, self.port, token)

    async def bare_connection(self) -> asyncpg.Connection:
        """A connection to the database that goes around everything of ours."""
        return await asyncpg.connect(**credentials(str(self.settings.database_url)))

    def peak_memory(self, name: str) -> int:
        """The most bytes of memory that a process has had resident."""
        return self._status(name, "VmHWM")

    def memory(self, name: str) -> int:
        """The bytes of memory that a process has resident."""
        return self._status(name, "VmRSS")

    def _status(self, name: str, field: str) -> int:
        status = Path(f"/proc/{self.processes[name].pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith(f"{field}:")]
        return int(line.split()[1]) * 1024

    async def new_tenant(self, meters: int = 3) -> Tenant:
        """An organization whose meters all count every event of `benchmarks.events`."""
        organization = await Organization.create(name="Bench", slug=f"b-{secrets.token_hex(6)}")
        secret = new_secret()
        await AccessToken.create(
            organization=organization,
            name="bench",
            scopes=["ADMIN"],
            secret_hash=hash_secret(secret),
        )
        kinds = (
            Aggregation(AggregationFunction.SUM, "total_tokens"),
            Aggregation(AggregationFunction.SUM, "completion_tokens"),
            Aggregation(AggregationFunction.COUNT, None),
        )
        made = [
            await create_meter(
                organization.id,
                f"Meter {number}",
                None,
                Filter(clauses=(Clause("name", ClauseOperator.EQUALS, "ai_usage"),)),
                kinds[number % len(kinds)],
            )
            for number in range(meters)
        ]
        return Tenant(organization, secret, tuple(made))


@asynccontextmanager
async def running_system(folder: Path | None = None) -> AsyncIterator[System]:
    """A new system with empty tables, gone at the end.

    Args:
        folder: on the disk that is to be measured; None: where temporary files are.
    """
    home = _new_home(folder)
    try:
        with embedded_servers(home / "data", durable=True) as servers, listen(_HOST, 0) as socket:
            settings = Settings(
                data_dir=home / "data",
                database_url=servers.database_url,
                redis_url=servers.redis_url,
                secret_key=SecretStr(secret_key(home)),
                webhook_allow_insecure=True,
            )
            export(settings)
            async with opened_database(settings, role="bench"):
                await migrate(settings)
                system = System(settings, socket.getsockname()[1], home)
                try:
                    descriptor = socket.fileno()
                    system.start("api", "api", "--fd", str(descriptor), pass_fds=[descriptor])
                    system.start("worker", "worker")
                    await _ready(system)
                    yield system
                finally:
                    for name in list(system.processes):
                        system.stop(name)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _new_home(folder: Path | None) -> Path:
    home = Path(tempfile.mkdtemp(prefix="metergraph-bench-", dir=folder))
    home.chmod(0o711)  # the servers may run as another account
    return home


async def _ready(system: System) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        connection = await system.connect("")
        await connection.get("/readyz")
        await connection.close()
