"""Why a socket is closed: what the client is told of it, and whether it should come again."""

from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization
from schema.context import Scope
from tests.graphql_client import make_token
from tests.transport.test_websocket import connected

NO_TOKEN = (
    'This needs a token: send {"authorization": "Bearer mg_…"} as the payload of connection_init'
)
UNKNOWN = "The token is unknown, revoked or expired"


@pytest.fixture
async def secret(organization: Organization) -> str:
    return await make_token(organization, Scope.ADMIN)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, NO_TOKEN),
        ({}, NO_TOKEN),
        ({"token": "mg_wrong"}, UNKNOWN),
        ({"token": 5}, NO_TOKEN),
        ({"headers": []}, NO_TOKEN),
        ({"authorization": ""}, NO_TOKEN),
        ({"authorization": "mg_wrong"}, "The Authorization header must be `Bearer mg_…`"),
    ],
)
async def test_without_a_good_token_the_socket_is_closed_and_says_why(
    application: Starlette, payload: Any, reason: str
) -> None:
    async with connected(application) as socket:
        await socket.event()
        message = {"type": "connection_init"}
        await socket.send(message if payload is None else {**message, "payload": payload})
        closed = await socket.event()
        assert (closed["type"], closed["code"]) == ("websocket.close", 4403)
        assert closed["reason"] == reason


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (
            ConnectionRefusedError("10.0.0.1"),
            1013,
            "The database cannot be used at the moment: try again",
        ),
        (ZeroDivisionError("the secret recipe"), 4500, "Internal error."),
    ],
)
async def test_what_fails_before_anything_is_open_says_whether_to_come_again(
    application: Starlette,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    code: int,
    reason: str,
) -> None:
    async def fails(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr("schema.secret_lookup.fetch_aside", fails)
    async with connected(application) as socket:
        await socket.event()
        await socket.send({"type": "connection_init", "payload": {"token": secret}})
        closed = await socket.event()
        assert closed["code"] == code
        assert closed["reason"].startswith(reason)
        assert str(failure) not in closed["reason"]


async def test_a_reason_is_cut_to_what_a_frame_carries(application: Starlette, secret: str) -> None:
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(secret)
        await socket.send({"type": "é" * 200})
        closed = await socket.event()
        assert closed["code"] == 4400
        assert 120 <= len(closed["reason"].encode()) <= 123


async def test_a_stranger_s_message_is_short(application: Starlette, secret: str) -> None:
    long = {"type": "ping", "payload": {"text": "x" * 70_000}}
    async with connected(application) as socket:
        await socket.event()
        await socket.send(long)
        closed = await socket.event()
        assert closed["code"] == 1009
        assert (
            closed["reason"] == "A message larger than 65,536 bytes needs an organization's token"
        )
    async with connected(application) as socket:
        await socket.event()
        await socket.begin(secret)
        await socket.send(long)
        assert await socket.receive() == {"type": "pong"}
