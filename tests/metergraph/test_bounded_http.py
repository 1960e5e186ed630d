"""Requests and handshakes have a size and a time, and a connection is closed beyond them."""

import asyncio
import contextlib
import time

import pytest

from config.settings import Settings
from metergraph.asgi import bounded_http
from models import Organization
from tests.raw_http import HANDSHAKE, exchange, opened
from tests.serving import served

ENDING = b"host: x\r\n\r\n"
ASKED = b"GET /healthz HTTP/1.1\r\n" + ENDING
POST = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
TYPENAME = b'{"query": "{ __typename }"}'
CHUNK = b"%x\r\n%s\r\n" % (len(TYPENAME), TYPENAME)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n" + b"x-a: 1\r\n" * 20_000,
        b"GET /healthz HTTP/1.1\r\nx-a: " + b"1" * 200_000,
        b"GET /graphql?query=" + b"1" * 200_000,
    ],
)
async def test_an_endless_head_is_cut_off(settings: Settings, redis: object, head: bytes) -> None:
    async with served(settings) as url:
        parts = [head[start : start + 10_000] for start in range(0, len(head), 10_000)]
        found = await exchange(url, *parts)
        assert found.startswith(b"HTTP/1.1 431 ") or not found  # cut off while it was still sent
        assert await exchange(url, b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING)


@pytest.mark.parametrize(
    "parts", [(), (b"GET /healthz HTTP/1.1\r\n",), (b"GET /healthz HTTP/1.1\r\n" + ENDING, b"GET ")]
)
async def test_a_head_must_come_in_time(
    settings: Settings,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[bytes, ...],
) -> None:
    monkeypatch.setattr(bounded_http, "SECONDS_FOR_A_HEAD", 1.0)
    async with served(settings) as url:
        begun = time.perf_counter()
        found = await exchange(url, *parts)
        assert time.perf_counter() - begun > 0.9
        assert found.count(b"HTTP/1.1 200") == len(parts) // 2


async def test_a_connection_is_kept_and_may_be_quiet_between_requests(
    settings: Settings, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(settings) as url, asyncio.timeout(60):
        reader, writer = await opened(url)
        for seconds in (0, 0.5, 0.5):
            await asyncio.sleep(seconds)
            writer.write(ASKED)  # which comes whole
            assert (await reader.readuntil(b'{"status":"ok"}')).startswith(b"HTTP/1.1 200 ")
            monkeypatch.setattr(bounded_http, "SECONDS_FOR_A_HEAD", 0.1)
        writer.close()


async def test_many_short_heads_are_not_a_long_one(
    settings: Settings, organization: Organization
) -> None:
    async with served(settings) as url:
        last = b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING
        # Heads of 150 KB in all, each of which is short, and the last of which comes in two parts.
        many = b"".join([ASKED] * 4_000)
        found = await exchange(url, many + last[:10], last[10:], pause=0.1)
        assert found.count(b"HTTP/1.1 200") == 4_001


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (b"GET /healthz HTTP/1.1\r\nconnection: close\r\nx-a: %s\r\n", 1),
        (b"GET /healthz?%s HTTP/1.1\r\nconnection: close\r\n", 1),
        (b"GET /healthz HTTP/1.1\r\nconnection: close\r\n%s", len(b"a: 234567\r\n")),
    ],
)
@pytest.mark.usefixtures("redis")
async def test_a_head_of_64_kib_is_answered_and_a_longer_one_is_not(
    settings: Settings, head: bytes, size: int
) -> None:
    long = b"a: 234567\r\n" if size > 1 else b"a"
    async with served(settings) as url:
        for whole in (60_000, 64_000):
            found = await exchange(url, head % (long * (whole // size)) + ENDING)
            assert found.startswith(b"HTTP/1.1 200 ")
        for whole in (66_000, 100_000):
            found = await exchange(url, head % (long * (whole // size)) + ENDING)
            assert found.startswith(b"HTTP/1.1 431 ")


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"a: 234567\r\n" * 10_000, b"431"),
        (b"cookie: " + b"a" * 9_000 + b"\r\n", b"431"),
        (b"a: b\r\n" * 130, b"431"),
        (b"content-length: 5\r\n", b"400"),
        (b"transfer-encoding: chunked\r\n", b"400"),
    ],
)
async def test_a_handshake_that_cannot_be_read_is_refused(
    settings: Settings, header: bytes, status: bytes
) -> None:
    async with served(settings) as url:
        answer = await exchange(url, HANDSHAKE + header + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)


@pytest.mark.usefixtures("redis")
async def test_trailers_and_extensions_of_chunks_are_accepted(settings: Settings) -> None:
    async with served(settings) as url:
        last = CHUNKED.replace(b"host: x", b"host: x\r\nconnection: close")
        body = CHUNK.replace(b"\r\n", b";signature=abc\r\n", 1) + b"0\r\nchecksum: 1\r\n\r\n"
        found = await exchange(url, CHUNKED + body + last + body)
        assert found.count(b'{"__typename":"Query"}') == 2
        ones = b"".join(b"1\r\n%c\r\n" % byte for byte in TYPENAME + b" " * 30_000)
        found = await exchange(url, last + ones + b"0\r\n\r\n")
        assert b'{"__typename":"Query"}' in found


@pytest.mark.parametrize(
    "part",
    [
        b"0\r\n" + b"a: 234567\r\n" * 1_000,
        b"0\r\na: " + b"1" * 10_000,
        b"1;" + b"e" * 10_000 + b"\r\n \r\n",
        b"1;" + b"e" * 10_000,
    ],
)
@pytest.mark.usefixtures("redis")
async def test_trailers_and_extensions_have_a_size(settings: Settings, part: bytes) -> None:
    more = part.partition(b"\r\n")[2] if part.startswith(b"0\r\n") else part
    async with served(settings) as url:
        reader, writer = await opened(url)
        writer.write(CHUNKED + CHUNK + part)
        sent = 0
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(more)
                    await writer.drain()
                    sent += len(more)
                    assert sent < 4 * 2**20
                    await asyncio.sleep(0)
        writer.close()


FOREIGN = (
    b"POST /session HTTP/1.1\r\nhost: x\r\norigin: http://elsewhere\r\n"
    b"x-metergraph-client: dashboard\r\ncontent-type: application/json\r\n"
)
UNTYPED = b"POST /graphql HTTP/1.1\r\nhost: x\r\n"
LENGTH, PIECES = b"content-length: 100000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "status", "more"),
    [
        (FOREIGN + LENGTH, b"403", b""),
        (FOREIGN + LENGTH, b"403", b" "),
        (FOREIGN + PIECES, b"403", b"1\r\n \r\n"),
        (UNTYPED + LENGTH, b"415", b" "),
        (b"POST /nowhere HTTP/1.1\r\nhost: x\r\n" + LENGTH, b"404", b" "),
    ],
)
@pytest.mark.usefixtures("redis")
async def test_the_rest_of_a_refused_body_is_not_awaited_for_long(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    head: bytes,
    status: bytes,
    more: bytes,
) -> None:
    monkeypatch.setattr(bounded_http, "SECONDS_AFTER_AN_ANSWER", 0.2)
    async with served(settings) as url, asyncio.timeout(30):
        reader, writer = await opened(url)
        writer.write(head)
        assert (await reader.readline()).startswith(b"HTTP/1.1 " + status)
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():  # until the server closes
                writer.write(more)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await reader.read(1_000)
        writer.close()


@pytest.mark.usefixtures("redis")
async def test_a_connection_is_kept_when_the_rest_of_a_refused_body_arrives(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "SECONDS_AFTER_AN_ANSWER", 60.0)
    async with served(settings) as url, asyncio.timeout(60):
        reader, writer = await opened(url)
        for _ in range(2):
            writer.write(FOREIGN + b"content-length: 2\r\n\r\n{")
            assert (await reader.readline()).startswith(b"HTTP/1.1 403 ")
            await reader.readuntil(b"]}")
            writer.write(b"}" + ASKED)
            assert (await reader.readuntil(b'{"status":"ok"}')).count(b"HTTP/1.1 200 ") == 1
        writer.close()
