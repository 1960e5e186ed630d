"""A browser that signs in to a page of the API, by the rules that browsers keep."""

import contextlib
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import httpx
import websockets

from models import BrowserSession, Organization
from tests.graphql_client import Api
from tests.websocket_client import PROTOCOL


@dataclass
class Browser:
    """One page; `cookies` are what the server has set.

    Args:
        http: a client of the server.
        origin: the page's, as the browser's address bar has it.
        client: dashboard or portal.
        sent: further headers, such as those of a proxy; an empty one is left out.
    """

    http: httpx.AsyncClient
    origin: str
    client: str = "dashboard"
    sent: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def headers(self, **changed: str) -> dict[str, str]:
        """What goes with every request of the page's scripts."""
        headers = {
            "content-type": "application/json",
            "origin": self.origin,
            "sec-fetch-site": "same-origin",
            "x-metergraph-client": self.client,
            "cookie": self.cookie,
            **self.sent,
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        return {name: value for name, value in headers.items() if value}

    async def session(
        self, method: str, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        """A request to /session; what it sets is kept."""
        answer = await self.http.request(
            method, "/session", content=content, headers=self.headers(**headers)
        )
        self.http.cookies.clear()  # which other browsers would send, too
        for header in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    async def sign_in(self, token: str) -> httpx.Response:
        """Swaps a token for a cookie."""
        return await self.session("POST", json.dumps({"token": token}).encode())

    async def sign_out(self) -> httpx.Response:
        """Gives the cookie back."""
        return await self.session("DELETE", content_type="")

    async def post(self, query: str, **headers: str) -> httpx.Response:
        """A GraphQL request."""
        return await self.http.post(
            "/graphql", content=json.dumps({"query": query}), headers=self.headers(**headers)
        )

    async def codes(self, query: str, **headers: str) -> list[str]:
        """The codes of the errors of an answer."""
        answer = (await self.post(query, **headers)).json()
        return [error["extensions"]["code"] for error in answer.get("errors", [])]

    def socket(self, **headers: str) -> websockets.connect:
        """A WebSocket of the page."""
        address = str(self.http.base_url).replace("http", "ws", 1).rstrip("/") + "/graphql"
        sent = {"cookie": self.cookie, **self.sent, **headers}
        return websockets.connect(
            address,
            subprotocols=[PROTOCOL],
            origin=websockets.Origin(self.origin),
            additional_headers={name: value for name, value in sent.items() if value},
            open_timeout=60,
        )


async def begin(socket: websockets.ClientConnection, **payload: Any) -> Any:
    """The answer to `connection_init`, or the closing code and reason."""
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    with contextlib.suppress(websockets.ConnectionClosed):
        return json.loads(await socket.recv())["type"]
    return socket.close_code, socket.close_reason


WHO = "{ me { accessToken { name } customer { externalId } } }"
OPEN = """mutation ($input: CustomerSessionCreateInput!) {
  customerSessionCreate(input: $input) { token expiresAt portalUrl userErrors { code path } } }"""
OWN = "http://metergraph"


async def opened(api: Api, customer: str = "c1", **given: int) -> dict[str, Any]:
    answer = await api.get(OPEN, input={"externalCustomerId": customer, **given})
    payload: dict[str, Any] = answer["customerSessionCreate"]
    return payload


async def rows(organization: Organization) -> int:
    """How many sessions of browsers the organization has."""
    return await BrowserSession.filter(organization_id=organization.id).count()
