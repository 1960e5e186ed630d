"""Sockets and streams of browsers that are signed in."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets

from config import clock
from config.settings import Settings
from models import AccessToken, BrowserSession
from schema.secrets import hash_secret
from tests.browser import WHO, Browser, begin
from tests.serving import served
from tests.websocket_client import USAGE, subscribe
from transport import event_stream, websocket


@pytest.fixture
async def page(settings: Settings, database: object) -> AsyncIterator[Browser]:
    """A browser at a server on a socket."""
    async with served(settings) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield Browser(client, url)


async def test_a_signed_in_page_watches_over_a_socket(page: Browser, token: str, link: str) -> None:
    await page.sign_in(token)
    portal = Browser(page.http, page.origin, "portal", cookies=page.cookies)
    await portal.sign_in(link)
    for client in ("dashboard", "portal"):
        async with page.socket() as socket:
            assert await begin(socket, client=client) == "connection_ack"
            await subscribe(socket, "1", WHO)
            me = json.loads(await socket.recv())["payload"]["data"]["me"]
            assert (me["customer"] is None) is (client == "dashboard")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "This needs a token"),
        ({"client": "portal"}, "This browser is not signed in"),
        ({"client": "admin"}, "The client must be dashboard or portal"),
        ({"client": None}, "The client must be"),
        ({"client": {"a": []}}, "The client must be"),
        ({"client": "dashboard", "authorization": "Bearer mg_no"}, "The token is unknown"),
        ({"client": "dashboard", "authorization": "mg_no"}, "The Authorization header must be"),
    ],
)
async def test_a_socket_says_which_client_it_is_and_a_token_wins(
    page: Browser, token: str, payload: dict[str, object], reason: str
) -> None:
    await page.sign_in(token)
    async with page.socket() as socket:
        code, said = await begin(socket, **payload)
    assert code == 4403
    assert said.startswith(reason)


async def test_a_socket_of_a_foreign_page_is_not_opened(page: Browser, token: str) -> None:
    await page.sign_in(token)
    for origin in ("https://evil.example", "null", page.origin + "1"):
        foreign = Browser(page.http, origin, cookies=page.cookies)
        with pytest.raises(websockets.InvalidStatus):
            await foreign.socket().__aenter__()
    # Nor is one used whose page is known by Sec-Fetch-Site alone, or not at all.
    port = page.origin.rpartition(":")[2]
    for origin in (f"https://127.0.0.1.evil.example:{port}", ""):
        foreign = Browser(page.http, origin, cookies=page.cookies)
        async with foreign.socket(**{"sec-fetch-site": "same-origin"}) as socket:
            assert (await begin(socket, client="dashboard"))[0] == 4403


@pytest.mark.parametrize("how", ["signed out", "signed in again", "revoked", "expired"])
async def test_an_open_socket_closes_when_the_session_ends(
    page: Browser, token: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(websocket, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    await page.sign_in(token)
    async with page.socket() as socket:
        assert await begin(socket, client="dashboard") == "connection_ack"
        await subscribe(socket, "1")
        await end(page, token, how)
        async with asyncio.timeout(60):
            with contextlib.suppress(websockets.ConnectionClosedError):
                async for _message in socket:
                    pass
    assert socket.close_code == 4403
    assert socket.close_reason == "The session has ended: sign in again"


async def end(page: Browser, token: str, how: str) -> None:
    tokens = AccessToken.filter(secret_hash=hash_secret(token))
    if how == "signed out":
        await page.sign_out()
    elif how == "signed in again":
        await page.sign_in(token)
    elif how == "revoked":
        await tokens.update(revoked_at=clock.now())
    else:
        row = await tokens.first()
        assert row is not None
        await BrowserSession.filter(token_id=row.id).update(expires_at=clock.now())


async def test_an_open_stream_ends_when_the_session_does(
    page: Browser, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    await page.sign_in(token)
    streaming = page.http.stream(
        "POST",
        "/graphql",
        json={"query": USAGE},
        headers=page.headers(accept="text/event-stream"),
    )
    async with asyncio.timeout(60), streaming as answer:
        assert answer.status_code == 200
        ended = False
        async for _line in answer.aiter_lines():
            if not ended:
                await page.sign_out()
                ended = True
    assert ended
