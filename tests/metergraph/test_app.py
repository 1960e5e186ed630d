"""Which origins' pages may call the API."""

import httpx
import pytest

from config.settings import Settings
from metergraph.asgi.app import create_app

PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def preflight(settings: Settings, origin: str) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://metergraph") as client:
        return await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("https://app.example",), "https://app.example", "https://app.example"),
        (("https://app.example",), "https://evil.example", None),
        (("*",), "https://app.example", "*"),
    ],
)
async def test_pages_of_the_set_origins_may_call(
    origins: tuple[str, ...], origin: str, allowed: str | None
) -> None:
    settings = Settings(
        database_url="postgresql://127.0.0.1:1/none",
        redis_url="redis://127.0.0.1:1",
        cors_origins=origins,
    )
    response = await preflight(settings, origin)
    assert response.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in response.headers
    assert (response.status_code == 200) is (allowed is not None)
