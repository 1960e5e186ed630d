"""The API in this process, with and without a socket, and tokens for it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette

from config.settings import Settings
from metergraph.asgi.app import create_app
from metergraph.asgi.server import Server, server_config
from models import AccessToken, Organization
from schema.context import Scope
from schema.secrets import hash_secret, new_secret


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """The API's URL, such as http://127.0.0.1:40123."""
    config = server_config(settings)
    config.port, config.lifespan, config.timeout_graceful_shutdown = 0, "off", 1
    app: Any = config.app
    server = Server(config)
    async with app.router.lifespan_context(app):
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def in_process(settings: Settings) -> AsyncIterator[tuple[Starlette, httpx.AsyncClient]]:
    """The application and a client of it that needs no socket."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://metergraph") as client,
    ):
        yield app, client


async def new_token(organization: Organization, *scopes: Scope) -> str:
    """The secret of a new token; without scopes given, it may do everything."""
    secret = new_secret()
    await AccessToken.create(
        organization=organization,
        name=f"test-{secrets.token_hex(4)}",
        scopes=[scope.name for scope in scopes] or ["ADMIN"],
        secret_hash=hash_secret(secret),
    )
    return secret
