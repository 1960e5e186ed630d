"""Behind a proxy: which pages may open a WebSocket, and whose headers are believed."""

import logging
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from config.settings import Settings
from metergraph.asgi.forwarded import ForwardedHeaders
from models import Organization
from tests.serving import served

PAGE = "https://usage.example:8443"
EVIL = "https://evil.example:8443"


async def opens(settings: Settings, origin: str, **headers: str) -> bool:
    """Whether a page of an origin gets a WebSocket, of a server that sees these headers."""
    async with served(settings) as url:
        port = int(url.rpartition(":")[2])
        connecting = connect(
            f"ws://{headers.pop('host', f'127.0.0.1:{port}')}/graphql",
            host="127.0.0.1",  # which the server listens on, whatever Host says
            port=port,
            additional_headers={
                "origin": origin,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
            subprotocols=[Subprotocol("graphql-transport-ws")],
        )
        try:
            async with connecting:
                return True
        except InvalidStatus as refused:
            return refused.response.status_code != HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "usage.example:8443"},  # nginx: Host $http_host
        {"host": "usage.example"},  # nginx: Host $host, which drops the port
        {"x_forwarded_host": "usage.example:8443"},  # Host is the address behind the proxy
        {"x_forwarded_host": "usage.example:8443, inner.example"},  # two proxies
        {"sec_fetch_site": "same-origin"},
    ],
)
async def test_the_api_s_own_page_opens_a_socket_behind_any_usual_proxy(
    settings: Settings, organization: Organization, headers: dict[str, str]
) -> None:
    assert await opens(settings, PAGE, **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "usage.example"},
        {"host": "usage.example:8443"},
        {"x_forwarded_host": "usage.example"},
        {"x_forwarded_host": ""},
    ],
)
async def test_another_page_opens_no_socket_behind_any_proxy(
    settings: Settings, organization: Organization, headers: dict[str, str]
) -> None:
    assert not await opens(settings, EVIL, **headers)


async def test_a_forwarded_host_is_believed_of_trusted_proxies_only(
    settings: Settings, organization: Organization
) -> None:
    distrusting = settings.model_copy(update={"trusted_proxies": ("192.0.2.1",)})
    assert not await opens(distrusting, PAGE, x_forwarded_host="usage.example:8443")


async def test_a_refused_page_is_logged_with_the_setting_that_lets_it_in(
    settings: Settings, organization: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not await opens(settings, PAGE)
    [said] = [record.getMessage() for record in caplog.records if PAGE in record.getMessage()]
    assert "METERGRAPH_CORS_ORIGINS" in said
    assert "allowed_origins" not in said
    named = settings.model_copy(update={"cors_origins": (PAGE,)})
    assert await opens(named, PAGE)


@pytest.mark.parametrize(
    ("client", "trusted", "believed"),
    [
        ("127.0.0.1", ("127.0.0.1", "::1"), True),
        ("::1", ("127.0.0.1", "::1"), True),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),  # IPv4 at a socket on ::
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("192.0.2.1", ("*",), True),
        ("192.0.2.1", (), False),
    ],
)
async def test_proxies_are_trusted_by_address_and_network(
    client: str, trusted: tuple[str, ...], *, believed: bool
) -> None:
    seen = []

    async def answer(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append((Headers(scope=scope)["host"], scope["scheme"]))

    async def nothing() -> Message:
        raise AssertionError

    async def send(_message: Message) -> None:
        raise AssertionError

    scope = {
        "type": "http",
        "scheme": "http",
        "client": (client, 1),
        "headers": [
            (b"host", b"inner"),
            (b"x-forwarded-host", b"outer"),
            (b"x-forwarded-proto", b"https"),
        ],
    }
    app: Any = answer
    await ForwardedHeaders(app, list(trusted))(scope, nothing, send)
    assert seen == [("outer", "https") if believed else ("inner", "http")]


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERGRAPH_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    assert Settings().trusted_proxies == ("10.0.0.0/8", "2001:db8::1")
    monkeypatch.setenv("METERGRAPH_TRUSTED_PROXIES", "10.1.2.3/8, 127.0.0.1")
    assert Settings().trusted_proxies == ("10.0.0.0/8", "127.0.0.1")
    monkeypatch.setenv("METERGRAPH_TRUSTED_PROXIES", "127.0.0.1, *")
    assert Settings().trusted_proxies == ("*",)
    monkeypatch.setenv("METERGRAPH_TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(ValidationError, match=r"proxy\.example"):
        Settings()
