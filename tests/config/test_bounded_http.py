"""Heads that do not end are not waited for."""

import asyncio
import time

import pytest

from config import bounded_http
from config.settings import Settings
from models import Organization
from tests.serving import served

ENDING = b"host: x\r\n\r\n"


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
    async with asyncio.timeout(10):
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
        begun = time.perf_counter()
        assert await exchange(url, b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING)
        assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "parts", [(), (b"GET /healthz HTTP/1.1\r\n",), (b"GET /healthz HTTP/1.1\r\n" + ENDING, b"GET ")]
)
async def test_a_head_has_so_long(
    settings: Settings,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[bytes, ...],
) -> None:
    monkeypatch.setattr(bounded_http, "SECONDS_FOR_A_HEAD", 0.3)
    async with served(settings) as url:
        begun = time.perf_counter()
        found = await exchange(url, *parts)
        assert 0.25 < time.perf_counter() - begun < 5
        assert found.count(b"HTTP/1.1 200") == len(parts) // 2


async def test_a_connection_is_used_again_and_may_be_quiet_between(
    settings: Settings, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_http, "SECONDS_FOR_A_HEAD", 0.2)
    asked = b"GET /healthz HTTP/1.1\r\n" + ENDING
    async with served(settings) as url:
        last = b"GET /healthz HTTP/1.1\r\nconnection: close\r\n" + ENDING
        # Heads of 150 KB in all, each of which is short, and the last of which comes in two parts.
        many = b"".join([asked] * 4_000)
        found = await exchange(url, *[asked] * 3, many + last[:10], last[10:], pause=0.1)
        assert found.count(b"HTTP/1.1 200") == 4_004
