"""The API stops in time and with code 0, and no client loses an answer or a subscription."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from websockets.exceptions import ConnectionClosed

from config.settings import Settings
from models import Organization
from tests.api_process import api_process
from tests.ingesting import drain
from tests.postgres import locked, locks_awaited
from tests.raw_http import opened
from tests.serving import new_token
from tests.websocket_client import connected_to, stream, subscribe

pytestmark = pytest.mark.servers

SECONDS = 2
CREATE = """mutation ($name: String!, $key: String) { meterCreate(input: {
  name: $name, filter: {}, aggregation: {function: COUNT}, idempotencyKey: $key
}) { meter { name } } }"""
EVENTS = "subscription { eventsIngested { id metadata } }"


def creating(name: str, key: str | None = None) -> dict[str, Any]:
    return {"query": CREATE, "variables": {"name": name, "key": key}}


async def test_operations_that_have_begun_are_answered(
    settings: Settings, organization: Organization, redis: ArqRedis
) -> None:
    token = await new_token(organization)
    headers = {"authorization": f"Bearer {token}"}
    with api_process(settings, METERGRAPH_SHUTDOWN_TIMEOUT_SECONDS="60") as process:
        client = httpx.AsyncClient(base_url=process.url, headers=headers, timeout=120)
        async with (
            client,
            connected_to(process.url, token) as socket,
            stream(client, token) as streaming,
            locked(settings, "meter") as lock,
        ):
            await subscribe(socket, "live")
            await subscribe(socket, "1", CREATE, name="over a socket")
            posting = asyncio.create_task(client.post("/graphql", json=creating("by HTTP")))
            await locks_awaited(lock, 2)
            process.ask_to_stop()
            async for _ in streaming.aiter_lines():
                pass  # it ends where the process begins to
            # What comes now is not begun: its client sends it again elsewhere.
            await subscribe(socket, "2", CREATE, name="over a socket")
            await lock.execute("ROLLBACK")
            answer = json.loads(await socket.recv())
            assert answer["payload"]["data"]["meterCreate"]["meter"]["name"] == "over a socket"
            assert (await posting).json()["data"]["meterCreate"]["meter"]["name"] == "by HTTP"
            assert json.loads(await socket.recv())["type"] == "complete"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            # Service restart: clients connect again, elsewhere.
            assert closed.value.rcvd.code == 1012
        code, _ = await asyncio.to_thread(process.stopped, 60)
        assert code == 0


async def test_it_stops_in_time_with_silent_clients_connected(
    settings: Settings, organization: Organization, redis: ArqRedis
) -> None:
    token = await new_token(organization)
    headers = {"authorization": f"Bearer {token}"}
    with api_process(settings, METERGRAPH_SHUTDOWN_TIMEOUT_SECONDS=str(SECONDS)) as process:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                httpx.AsyncClient(base_url=process.url, headers=headers, timeout=120)
            )
            idle = [
                await stack.enter_async_context(connected_to(process.url, token))
                for _ in range(100)
            ]
            await subscribe(idle[0], "1")
            streaming = await stack.enter_async_context(stream(client, token))
            lines = streaming.aiter_lines()
            stalled = [await stalled_reader(process.url, token) for _ in range(3)]
            for writer in stalled:
                stack.callback(writer.transport.abort)
            for _ in range(3):
                deaf = await stack.enter_async_context(connected_to(process.url, token))
                stack.callback(deaf.transport.abort)
                await subscribe(deaf, "1", EVENTS)
            await flood(client, organization)
            lock = await stack.enter_async_context(locked(settings, "meter"))
            posting = asyncio.create_task(client.post("/graphql", json=creating("never")))
            repeatable = creating("never", "with a key")
            posting_with_key = asyncio.create_task(client.post("/graphql", json=repeatable))
            await locks_awaited(lock, 2)

            process.ask_to_stop()
            code, seconds = await asyncio.to_thread(process.stopped, 120)
            assert code == 0
            assert seconds < SECONDS + 40  # the kernel gives up on who takes nothing after 60
            for socket in idle:
                with contextlib.suppress(ConnectionClosed):
                    async for _ in socket:  # what it had been sent before
                        pass
                assert socket.close_code == 1012
            # A stream ends as a response does, and without having been completed.
            assert not [line async for line in lines if "complete" in line]
            for cut_off, retryable in ((await posting, False), (await posting_with_key, True)):
                assert cut_off.status_code == 503
                assert cut_off.json()["errors"][0]["extensions"]["retryable"] is retryable


async def stalled_reader(url: str, token: str) -> asyncio.StreamWriter:
    """Who asks for all events as a stream, and reads none of it."""
    _, writer = await opened(url)
    body = json.dumps({"query": EVENTS}).encode()
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"accept: text/event-stream\r\nauthorization: Bearer " + token.encode() + b"\r\n"
        b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    await writer.drain()
    return writer


async def flood(client: httpx.AsyncClient, organization: Organization) -> None:
    """More events than a socket's buffers hold, so that the server cannot send on."""
    event = {"name": "big", "externalCustomerId": "c", "metadata": {"text": "x" * 1_000}}
    for _ in range(10):
        query = "mutation ($e: [EventInput!]!) { eventsIngest(input: {events: $e}) { inserted } }"
        sent = await client.post(
            "/graphql", json={"query": query, "variables": {"e": [event] * 1_000}}
        )
        assert sent.json()["data"]["eventsIngest"]["inserted"] == 1_000
    await drain(organization.id)
    await asyncio.sleep(0.5)
