"""The API on a socket, served by this process, and tokens for it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from config.app import create_app
from config.server import Server
from config.settings import Settings
from models import AccessToken, Organization
from schema.secrets import hash_secret, new_secret


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """The API's URL, such as http://127.0.0.1:40123."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
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


async def new_token(organization: Organization, *scopes: str) -> str:
    """The secret of a new token; without scopes given, it may do everything."""
    secret = new_secret()
    await AccessToken.create(
        organization=organization,
        name=f"test-{secrets.token_hex(4)}",
        scopes=list(scopes) or ["ADMIN"],
        secret_hash=hash_secret(secret),
    )
    return secret
