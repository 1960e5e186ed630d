"""The API as its clients see it, in this process: HTTP without a socket, on the real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis
from starlette.applications import Starlette
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from models import Organization, exact_json
from tests.serving import new_token
from transport.application import event_routes, graphql_routes, opened_api


@dataclass
class Api:
    """A client with a token. Answers are JSON with exact numbers."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes | str) else exact_json.dumps(body)
        return await self.http.post(
            "/graphql",
            content=content,
            headers={"content-type": "application/json", **self.headers, **headers},
        )

    async def ask(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        response = await self.post({"query": query, "variables": variables})
        answer: dict[str, Any] = exact_json.loads(response.content)
        return answer

    async def get(self, query: str, /, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def codes(self, query: str, /, **variables: Any) -> list[str]:
        """The codes of the errors of an answer."""
        answer = await self.ask(query, **variables)
        return [error["extensions"]["code"] for error in answer.get("errors", [])]

    def with_secret(self, secret: str) -> "Api":
        """The same API, asked with another token."""
        return Api(self.http, {"authorization": f"Bearer {secret}"})

    @property
    def secret(self) -> str:
        """The token."""
        return self.headers["authorization"].removeprefix("Bearer ")

    async def session(self, customer: str) -> "Api":
        """The API as a session of a customer sees it; the customer is created if need be."""
        opened = await self.get(
            """mutation ($id: String!) {
              customerCreate(input: {externalId: $id}) { userErrors { code } }
              customerSessionCreate(input: {externalCustomerId: $id}) { token }
            }""",
            id=customer,
        )
        return self.with_secret(opened["customerSessionCreate"]["token"])

    @property
    def anonymous(self) -> "Api":
        """The same API, asked without a token."""
        return Api(self.http)


@pytest.fixture
async def application(
    settings: Settings, database: BaseDBAsyncClient, redis: ArqRedis
) -> AsyncIterator[Starlette]:
    """The ASGI application that serves the API."""
    async with opened_api(settings, redis) as graphql:
        app = Starlette(routes=[*graphql_routes(), *event_routes()])
        app.state.graphql = graphql
        yield app


@pytest.fixture
async def http(application: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, without a socket."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://metergraph") as client:
        yield client


@pytest.fixture
async def api(http: httpx.AsyncClient, organization: Organization) -> Api:
    """The API with a token of `organization` that may do everything."""
    return Api(http).with_secret(await new_token(organization))


@pytest.fixture
async def other_api(http: httpx.AsyncClient, other_organization: Organization) -> Api:
    """The API with a token of `other_organization` that may do everything."""
    return Api(http).with_secret(await new_token(other_organization))
