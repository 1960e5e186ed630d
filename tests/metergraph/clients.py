"""Clients of a served API: each asks with a token of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from config.settings import Settings
from tests.serving import served

_SECONDS = 20.0
READ = "{ events { nodes { name } } }"


class Client:
    """A client of the API with a token."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """`data`, or the only error's extensions."""
        body = {"query": query, "variables": variables}
        response = await self._http.post("/graphql", json=body, headers=self._headers)
        answer: dict[str, Any] = response.json()
        if "errors" in answer:
            (error,) = answer["errors"]
            extensions: dict[str, Any] = error["extensions"]
            return extensions
        data: dict[str, Any] = answer["data"]
        return data

    def with_token(self, token: str) -> "Client":
        """The same API, asked with another token."""
        return Client(self._http, token)

    async def status(self, path: str) -> int:
        """Of a GET."""
        return (await self._http.get(path)).status_code

    async def text(self, path: str) -> str:
        """Of a GET."""
        return (await self._http.get(path)).text


@asynccontextmanager
async def api(settings: Settings, *tokens: str) -> AsyncIterator[list[Client]]:
    async with (
        served(settings) as url,
        httpx.AsyncClient(base_url=url, timeout=_SECONDS) as http,
    ):
        clients = [Client(http, token) for token in tokens]
        for client in clients:
            assert await client.ask(READ) == {"events": {"nodes": []}}
        yield clients
