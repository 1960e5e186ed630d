"""What browsers may do: pages of which origins, and what every answer tells them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from config.settings import Settings
from metergraph.asgi.security_headers import HEADERS
from models import Organization
from tests.serving import new_token, served

QUERY = {"query": "{ organization { name } }"}
pytestmark = pytest.mark.usefixtures("database", "redis")

PAGE = "https://dashboard.example"


def asked(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization, content-type",
    }


@asynccontextmanager
async def browsing(settings: Settings, **changes: object) -> AsyncIterator[httpx.AsyncClient]:
    changed = settings.model_copy(update=changes)
    async with served(changed) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


async def test_every_answer_has_the_headers_of_a_safe_site(settings: Settings) -> None:
    async with browsing(settings) as client:
        for path in ("/graphql", "/healthz", "/nothing", "/session"):
            for answer in (await client.get(path), await client.post(path, content=b"nonsense")):
                # Once each: a second value would be another answer.
                assert HEADERS.items() <= dict(answer.headers).items()


async def test_graphiql_keeps_its_own_policy(settings: Settings) -> None:
    async with browsing(settings) as client:
        page = await client.get("/graphql", headers={"accept": "text/html"})
        directives = page.headers["content-security-policy"].split("; ")
        assert "connect-src 'self'" in directives
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert len(page.headers.get_list("content-security-policy")) == 1


async def test_the_address_itself_says_where_everything_is(settings: Settings) -> None:
    async with browsing(settings) as client:
        told = await client.get("/")
        assert told.json()["graphql"] == "graphql"
        assert (await client.get(told.json()["health"][0])).json() == {"status": "ok"}
        page = await client.get("/", headers={"accept": "text/html"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_pages_of_other_origins_may_not_call_by_default(settings: Settings) -> None:
    async with browsing(settings) as client:
        asking = await client.options("/graphql", headers=asked(PAGE))
        answer = await client.post("/graphql", json=QUERY, headers={"origin": PAGE})
        for found in (asking, answer):
            assert not [name for name in found.headers if name.startswith("access-control")]


async def test_pages_of_the_origins_of_the_setting_may_call(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    async with browsing(settings, cors_origins=("*",)) as client:
        anywhere = await client.options("/graphql", headers=asked(PAGE))
        assert anywhere.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in anywhere.headers
    async with browsing(settings, cors_origins=(PAGE,)) as client:
        for method in ("POST", "GET"):  # persisted queries come by GET
            asking = await client.options("/graphql", headers=asked(PAGE, method))
            assert asking.status_code == 200
            assert asking.headers["access-control-allow-origin"] == PAGE
            assert method in asking.headers["access-control-allow-methods"]
            assert "authorization" in asking.headers["access-control-allow-headers"].lower()
            assert "access-control-allow-credentials" not in asking.headers
        deleting = await client.options("/graphql", headers=asked(PAGE, "DELETE"))
        assert deleting.status_code == 400
        headers = {"origin": PAGE, "authorization": f"Bearer {token}"}
        answer = await client.post("/graphql", json=QUERY, headers=headers)
        assert answer.headers["access-control-allow-origin"] == PAGE
        elsewhere = await client.options("/graphql", headers=asked("https://evil.example"))
        assert "access-control-allow-origin" not in elsewhere.headers
