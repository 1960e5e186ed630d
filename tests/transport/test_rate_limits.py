"""How often a token may ask, and what becomes of a socket whose token is revoked."""

import asyncio
import json

import httpx
import pytest
import websockets
from pydantic import ValidationError

from config import clock
from config.settings import Settings
from models import AccessToken, Organization
from tests.serving import new_token, served
from transport import websocket

pytestmark = pytest.mark.usefixtures("patience")

QUERY = {"query": "{ organization { name } }"}
SUBSCRIPTION = {"query": "subscription { usageUpdated { cursor } }"}
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.usefixtures("redis")
async def test_a_request_too_many_is_refused_and_says_when_to_try_again(
    settings: Settings, organization: Organization
) -> None:
    token, other = await new_token(organization), await new_token(organization)
    limited = settings.model_copy(update={"rate_limit": "3/minute"})
    async with served(limited) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        answers = [
            await client.post("/graphql", json=QUERY, headers=bearer(token)) for _ in range(4)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1].json()["errors"][0]
        assert refused["extensions"]["code"] == "RATE_LIMITED"
        seconds = refused["extensions"]["retryAfterSeconds"]
        assert 1 <= seconds <= 60
        assert answers[-1].headers["retry-after"] == str(seconds)
        # Each token has its own.
        assert (await client.post("/graphql", json=QUERY, headers=bearer(other))).status_code == 200


@pytest.mark.usefixtures("redis")
async def test_a_batch_that_no_waiting_would_let_in_is_not_told_to_wait(
    settings: Settings, organization: Organization
) -> None:
    headers = bearer(await new_token(organization))
    limited = settings.model_copy(update={"rate_limit": "3/minute"})
    async with served(limited) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        refused = await client.post("/graphql", json=[QUERY] * 4)
        assert refused.status_code == 400
        assert "retry-after" not in refused.headers
        (error,) = refused.json()["errors"]
        assert error["extensions"] == {"code": "TOO_COMPLEX"}
        assert "4 is more than" in error["message"]
        # It was one request, and none of its operations was run.
        assert (await client.post("/graphql", json=[QUERY] * 2)).status_code == 200
        assert (await client.post("/graphql", json=QUERY)).status_code == 429


@pytest.mark.usefixtures("redis")
async def test_who_asks_too_often_is_not_read(
    settings: Settings, organization: Organization
) -> None:
    headers = bearer(await new_token(organization)) | {"content-type": "application/json"}
    limited = settings.model_copy(update={"rate_limit": "1/minute"})
    async with served(limited) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        answers = [await client.post("/graphql", content="no JSON") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [400, 429]


@pytest.mark.usefixtures("redis")
async def test_an_operation_over_a_socket_is_a_request(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    limited = settings.model_copy(update={"rate_limit": "1/minute"})
    async with (
        served(limited) as url,
        websockets.connect(
            url.replace("http", "ws", 1) + "/graphql", subprotocols=[PROTOCOL]
        ) as socket,
    ):
        await begin(socket, token)
        for number in ("1", "2"):
            message = {"id": number, "type": "subscribe", "payload": QUERY}
            await socket.send(json.dumps(message))
        answers = [json.loads(await socket.recv()) for _ in range(3)]
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert [error["extensions"]["code"] for error in refused[0]["payload"]] == ["RATE_LIMITED"]


async def test_without_redis_nobody_is_refused(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    limited = settings.model_copy(
        update={"rate_limit": "1/minute", "redis_url": "redis://127.0.0.1:1/0"}
    )
    async with served(limited) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        answers = [
            await client.post("/graphql", json=QUERY, headers=bearer(token)) for _ in range(3)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_a_limit_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="rate_limit"):
        Settings(rate_limit="many")


async def begin(socket: websockets.ClientConnection, token: str) -> None:
    payload = {"authorization": f"Bearer {token}"}
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"


async def read_to_the_end(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


@pytest.mark.usefixtures("redis")
async def test_a_socket_is_closed_when_its_token_is_revoked(
    settings: Settings,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.05)
    token = await new_token(organization)
    async with (
        served(settings) as url,
        websockets.connect(
            url.replace("http", "ws", 1) + "/graphql", subprotocols=[PROTOCOL]
        ) as socket,
    ):
        await begin(socket, token)
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": SUBSCRIPTION}))
        await AccessToken.filter(organization_id=organization.id).update(revoked_at=clock.now())
        async with asyncio.timeout(60):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await read_to_the_end(socket)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
        4403,
        "The token was revoked or has expired",
    )
