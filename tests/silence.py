"""A proxy whose connections fall silent, as where packets are lost: no data, no end, no reset."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

_CHUNK = 65_536

Matches = Callable[[bytes], bool]


@dataclass(eq=False)
class _Passage:
    """One connection through the proxy."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    is_silent: bool = False
    healed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class Silencing:
    """Which connections are to fall silent by what their clients say, and how many."""

    matches: Matches
    is_heard: bool
    left: int
    _happened: threading.Event = field(default_factory=threading.Event)

    def fell_silent(self, seconds: float = 60.0) -> bool:
        """Whether one falls silent in time; waits for it."""
        return self._happened.wait(seconds)

    def takes(self, data: bytes) -> bool:
        """Whether this silences the connection whose client has said so."""
        if not self.left or not self.matches(data):
            return False
        self.left -= 1
        self._happened.set()
        return True


@dataclass
class Proxy:
    """Stands before a server; `url` is the server's, through the proxy."""

    url: str
    loop: asyncio.AbstractEventLoop
    _passages: list[_Passage] = field(default_factory=list)
    _silencings: list[Silencing] = field(default_factory=list)
    _is_deaf: bool = False

    def silence(self, *, also_new: bool = False) -> None:
        """No connection of now says or hears anything more; with `also_new`, none that is made."""
        self._run(lambda: self._silence(also_new))

    def silence_when(self, matches: Matches, *, is_heard: bool = True, times: int = 1) -> Silencing:
        """The next connections whose clients say so fall silent, so many.

        The server still hears that and its answer is lost; without `is_heard`, it hears nothing.
        """
        silencing = Silencing(matches, is_heard, times)
        self._run(lambda: self._silencings.append(silencing))
        return silencing

    def heal(self) -> None:
        """Connections fall silent no more; those that were are ended."""
        self._run(self._heal)

    async def end(self) -> None:
        """Ends every connection."""
        while self._passages:
            for passage in self._passages:
                passage.healed.set()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)  # until the transports are closed, too

    def _run(self, work: Callable[[], None]) -> None:
        done = threading.Event()

        def finish() -> None:
            work()
            done.set()

        self.loop.call_soon_threadsafe(finish)
        assert done.wait(60)

    def _silence(self, also_new: bool) -> None:
        self._is_deaf = also_new
        for passage in self._passages:
            passage.is_silent = True

    def _heal(self) -> None:
        self._is_deaf = False
        self._silencings.clear()
        for passage in [*self._passages]:
            if passage.is_silent:
                passage.healed.set()

    async def _pass(
        self, passage: _Passage, reader: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        is_client = to is passage.writers[1]
        while data := await reader.read(_CHUNK):
            if passage.is_silent:
                continue
            if is_client:
                taken = next((one for one in self._silencings if one.takes(data)), None)
                if taken is not None:
                    passage.is_silent = True
                    if not taken.is_heard:
                        continue
            to.write(data)
            await to.drain()
        if passage.is_silent:
            # Its end is lost as well, until somebody heals the proxy.
            await passage.healed.wait()

    async def serve(
        self,
        connect: Callable[[], "asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]"],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Passes one connection on."""
        there, upstream = await connect()
        passage = _Passage((writer, upstream), self._is_deaf)
        self._passages.append(passage)
        ways: list[asyncio.Task[object]] = [
            asyncio.create_task(self._pass(passage, reader, upstream)),
            asyncio.create_task(self._pass(passage, there, writer)),
            asyncio.create_task(passage.healed.wait()),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._passages.remove(passage)
            for end in passage.writers:
                end.transport.abort()


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the server of a URL of PostgreSQL or Redis, in a thread of its own."""
    started = threading.Event()
    found: list[Proxy] = []
    stopping: list[asyncio.Event] = []

    async def run() -> None:
        stopping.append(asyncio.Event())
        proxy = Proxy(url, asyncio.get_running_loop())

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await proxy.serve(lambda: _connection(url), reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        proxy.url = _through(url, server.sockets[0].getsockname()[1])
        found.append(proxy)
        started.set()
        await stopping[0].wait()
        server.close()
        await proxy.end()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(60)
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(stopping[0].set)
        thread.join(60)


def _connection(url: str) -> "asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]":
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if parts.scheme == "unix":
        return asyncio.ensure_future(asyncio.open_unix_connection(parts.path))
    if "host" in query:
        port = query.get("port", ["5432"])[0]
        path = Path(query["host"][0]) / f".s.PGSQL.{port}"
        return asyncio.ensure_future(asyncio.open_unix_connection(path))
    assert parts.hostname is not None
    return asyncio.ensure_future(asyncio.open_connection(parts.hostname, parts.port))


def _through(url: str, port: int) -> str:
    """`url` with the proxy as its server."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis://127.0.0.1:{port}/{database}"
    account, _, _ = parts.netloc.rpartition("@")
    place = f"{account}@127.0.0.1:{port}" if account else f"127.0.0.1:{port}"
    return urlunsplit(parts._replace(netloc=place, query=""))
