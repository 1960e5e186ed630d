"""Heads that do not end are not waited for."""

import asyncio
import time

import pytest

from config import bounded_http
from config.settings import Settings
from models import Organization
from tests.serving import served

ENDING = b"host: x\r\n\r\n"
ASKED = b"GET /healthz HTTP/1.1\r\n" + ENDING


async def exchange(url: str, *sent: bytes, pause: float = 0) -> bytes:
    """What comes back for what is sent, until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    except ConnectionError:
        pass
    async with asyncio.timeout(60):
        try:
            found = await reader.read()
        except ConnectionResetError:
            found = b""
    writer.close()
    return found


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n" + b"x-a: 1\r\n" * 20_000,
        b"GET /healthz HTTP/1.1\r\nx-a: " + b"1" * 200_000,
        b"GET /graphql?query=" + b"1" * 200_000,
    ],
)
async def test_a_head_has_a_size(
    settings: Settings, organization: Organization, head: bytes
) -> None:
    async with served(settings) as url:
        parts = [head[start : start + 10_000] for start in range(0, len(head), 10_000)]
        found = await exchange(url, *parts)
        assert found.startswith(b"HTTP/1.1 431 ") or not found  # cut off while it was still sent
        assert await exchange(url, b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING)


@pytest.mark.parametrize(
    "parts", [(), (b"GET /healthz HTTP/1.1\r\n",), (b"GET /healthz HTTP/1.1\r\n" + ENDING, b"GET ")]
)
async def test_a_head_has_so_long(
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


async def test_a_connection_is_used_again_and_may_be_quiet_between(
    settings: Settings, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(settings) as url, asyncio.timeout(60):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for seconds in (0, 0.5, 0.5):
            await asyncio.sleep(seconds)
            writer.write(ASKED)  # which comes whole
            assert (await reader.readuntil(b'{"status":"ok"}')).startswith(b"HTTP/1.1 200 ")
            monkeypatch.setattr(bounded_http, "SECONDS_FOR_A_HEAD", 0.1)
        writer.close()


async def test_many_short_heads_are_no_long_one(
    settings: Settings, organization: Organization
) -> None:
    async with served(settings) as url:
        last = b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING
        # Heads of 150 KB in all, each of which is short, and the last of which comes in two parts.
        many = b"".join([ASKED] * 4_000)
        found = await exchange(url, many + last[:10], last[10:], pause=0.1)
        assert found.count(b"HTTP/1.1 200") == 4_001
