"""The ASGI application: GraphQL, and what tells an operator whether it works.

    uvicorn --factory metergraph.asgi.app:create_app

`app.state` has `settings`, `redis` (arq's queue) and `graphql` (the API); the database is open
from the lifespan's beginning to its end.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from config.settings import Settings, get_settings
from metergraph.asgi.answered_together import answered_together
from metergraph.asgi.forwarded import ForwardedHost
from metergraph.asgi.front import front
from metergraph.asgi.health import healthz, readyz
from metergraph.asgi.metrics import metrics
from metergraph.asgi.security_headers import SecurityHeaders
from metergraph.connections import with_running_servers
from metergraph.database.database_clock import following_database_clock
from metergraph.database.opening import opened_database
from metering.live.wakeup import open_queue
from transport.application import graphql_routes, opened_api
from transport.persisted_queries import listed_documents
from waiting.outages import Outage

# An outage is over when no request has failed for so long.
_QUIET_SECONDS = 5.0


def create_app(settings: Settings | None = None) -> Starlette:
    """The application.

    Args:
        settings: None: those of the environment, and the running embedded servers.

    Raises:
        ServersNotRunningError: there is no database or Redis to use.
        ListError: the list of persisted queries cannot be used.
    """
    chosen = with_running_servers(settings or get_settings())
    if chosen.persisted_queries is not None:
        listed_documents(chosen.persisted_queries)  # or uvicorn would say it, with a traceback

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            opened_database(
                chosen,
                role="api",
                statement_timeout_seconds=chosen.statement_timeout_seconds,
                outage=Outage("PostgreSQL", quiet_seconds=_QUIET_SECONDS),
            ),
            following_database_clock(),
        ):
            redis = open_queue(str(chosen.redis_url))
            app.state.settings = chosen
            app.state.redis = redis
            try:
                async with opened_api(chosen, redis) as api:
                    app.state.graphql = api
                    yield
            finally:
                await redis.aclose()

    return Starlette(routes=_routes(chosen), middleware=_middleware(chosen), lifespan=lifespan)


def _middleware(settings: Settings) -> list[Middleware]:
    always = [
        Middleware(ForwardedHost, settings.trusted_proxies),
        Middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies)),
        Middleware(SecurityHeaders),
    ]
    if not settings.cors_origins:
        return always
    # Tokens come in a header that pages set themselves, never in a cookie: no credentials.
    return [
        *always,
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["retry-after"],
            max_age=86_400,
        ),
    ]


def _routes(settings: Settings) -> list[BaseRoute]:
    return [
        Route("/", front),
        Route("/healthz", healthz),
        Route("/readyz", answered_together(readyz)),
        Route("/metrics", answered_together(metrics)),
        *graphql_routes(settings),
    ]
