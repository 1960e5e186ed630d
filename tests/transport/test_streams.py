"""Subscriptions over a network: how many a token has, and what ends them."""

import asyncio
import json
import socket as sockets

import httpx
import pytest

from config import clock
from config.settings import Settings
from metergraph.asgi.listening import listen
from models import AccessToken, Organization
from tests.raw_http import opened
from tests.serving import new_token, served
from tests.websocket_client import connected_to, stream, subscribe
from transport import event_stream


async def admitted(client: httpx.AsyncClient, token: str) -> None:
    """Returns once a stream is opened, and closes it."""
    async with asyncio.timeout(60):
        while True:
            async with stream(client, token) as response:
                if response.status_code == 200:
                    return
            await asyncio.sleep(0.02)


async def test_sockets_and_streams_of_a_token_are_counted_together(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    few = settings.model_copy(update={"max_subscriptions_per_token": 2})
    async with served(few) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        async with connected_to(url, token) as one, connected_to(url, token) as two:
            await subscribe(one, "1")
            await subscribe(two, "1")
            async with asyncio.timeout(60):
                while "metergraph_subscribers 2.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110  # there is no event for it
                    await asyncio.sleep(0.01)
            await subscribe(two, "2")
            refused = json.loads(await two.recv())
            assert (refused["id"], refused["type"]) == ("2", "error")
            assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
            async with stream(client, token) as response:
                assert response.status_code == 429
            await one.send(json.dumps({"id": "1", "type": "complete"}))
            await admitted(client, token)
            await subscribe(one, "2")
        # What was closed without a message counts no more.
        await admitted(client, token)


async def test_a_stream_ends_with_its_token(
    settings: Settings, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.05)
    token = await new_token(organization)
    async with served(settings) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        async with asyncio.timeout(60), stream(client, token) as response:
            lines = response.aiter_lines()
            assert (await anext(lines)).startswith(":")
            await AccessToken.filter(organization_id=organization.id).update(revoked_at=clock.now())
            rest = [line async for line in lines]
        assert not any("complete" in line for line in rest)


async def test_a_request_that_is_cut_off_is_no_internal_error(
    settings: Settings, organization: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await new_token(organization)
    async with served(settings) as url:
        _, writer = await opened(url)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer " + token.encode() + b"\r\ncontent-length: 1000\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
    assert "internal error" not in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(sockets, "TCP_USER_TIMEOUT"), reason="Linux has this option")
def test_connections_give_up_on_clients_that_take_nothing() -> None:
    with listen("127.0.0.1", 0) as listening, sockets.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            option = accepted.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT)
            assert option == 60_000
