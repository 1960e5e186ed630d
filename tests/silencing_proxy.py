"""A network between Metergraph and PostgreSQL, in which single connections can fall silent.

Nothing is reset and nothing is closed, as where packets are lost or a firewall has forgotten the
connection: whoever is at its ends sends, waits, and hears nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

_CHUNK = 65_536


@dataclass
class _Rule:
    marker: bytes
    loses_answer: bool
    left: int
    happened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class SilencingProxy:
    """Listens on a port of this machine, and leads to PostgreSQL."""

    database_url: str
    port: int = 0
    connections: int = 0
    """How many were opened."""
    _rules: list[_Rule] = field(default_factory=list)
    _is_silent: bool = False
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The database's URL through the proxy. Statements are sent as text, each time."""
        parts = urlsplit(self.database_url)
        user, _, _address = parts.netloc.rpartition("@")
        return f"postgresql://{user}@127.0.0.1:{self.port}{parts.path}?statement_cache_size=0"

    def silence(self, statement: str, *, loses_answer: bool = False, times: int = 1) -> _Rule:
        """The next connections to send a statement with this text fall silent, so many.

        The statement is lost, or, with `loses_answer`, reaches PostgreSQL and its answer is lost.
        """
        rule = _Rule(statement.encode(), loses_answer, times)
        self._rules.append(rule)
        return rule

    def silence_all(self) -> None:
        """Nothing gets through from now on, not even a new connection."""
        self._is_silent = True

    def heal(self) -> None:
        """New connections get through. What was silent stays so."""
        self._is_silent = False
        self._rules.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on what comes over one connection."""
        self.connections += 1
        self._writers.append(writer)
        upstream_reader, upstream = await self._connect()
        self._writers.append(upstream)
        silent = asyncio.Event()
        self._start(self._pass_on(reader, upstream, silent, is_question=True))
        self._start(self._pass_on(upstream_reader, writer, silent, is_question=False))

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.database_url)
        directory = dict(parse_qsl(parts.query)).get("host")
        if directory is not None:
            return await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.{parts.port or 5432}")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        silent: asyncio.Event,
        *,
        is_question: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                if silent.is_set():
                    continue
                rule = self._rule(data) if is_question else None
                if self._is_silent or rule is not None:
                    silent.set()
                if rule is None and self._is_silent:
                    continue
                if rule is not None and not rule.loses_answer:
                    continue
                writer.write(data)
                await writer.drain()
        if not silent.is_set():
            writer.close()

    def _rule(self, data: bytes) -> _Rule | None:
        for rule in self._rules:
            if rule.left and rule.marker in data:
                rule.left -= 1
                rule.happened.set()
                return rule
        return None

    async def close(self) -> None:
        """Ends what is left of the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def silencing_proxy(database_url: str) -> AsyncIterator[SilencingProxy]:
    """A running proxy before the database."""
    proxy = SilencingProxy(database_url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
