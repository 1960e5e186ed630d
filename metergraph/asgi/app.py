"""The ASGI application: GraphQL, events over plain HTTP, health and metrics.

    uvicorn --factory metergraph.asgi.app:create_app

`app.state` has `settings`, `redis` (arq's queue) and `graphql` (the API). The database is open
during the lifespan.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, request_response

from config.settings import Settings, get_settings
from metergraph.asgi.forwarded import ForwardedHeaders
from metergraph.asgi.health import healthz, readyz
from metergraph.asgi.metrics import metrics
from metergraph.asgi.pages import PAGES, Pages
from metergraph.asgi.security_headers import SecurityHeaders
from metergraph.connections import with_running_servers
from metergraph.database.database_clock import following_database_clock
from metergraph.database.opening import opened_database
from metering.live.wakeup import open_queue
from transport.application import OperationsFirst, event_routes, graphql_routes, opened_api
from transport.persisted_queries import listed_documents
from transport.visits import ForBrowsers
from waiting.outages import Outage

Endpoint = Callable[[Request], Awaitable[Response]]

# An outage is over once no request has failed for this long.
_QUIET_SECONDS = 5.0


def create_app(settings: Settings | None = None, pages: Path = PAGES) -> Starlette:
    """Returns the application.

    Args:
        settings: None: those of the environment, and of running embedded servers.
        pages: the folder of the pages for people.

    Raises:
        ServersNotRunningError: a URL is not set, and no embedded server runs.
        ListError: the list of persisted queries cannot be used.
    """
    chosen = with_running_servers(settings or get_settings())
    if chosen.persisted_queries is not None:
        listed_documents(chosen.persisted_queries)  # here, because uvicorn would print a traceback

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

    built = Pages(pages, chosen.portal_frame_ancestors)
    app = Starlette(
        routes=_routes(chosen, built), middleware=_middleware(chosen), lifespan=lifespan
    )
    # The dashboard has its own addresses.
    app.router.default = ForBrowsers(built.dashboard, app.router.default)
    return app


def _middleware(settings: Settings) -> list[Middleware]:
    always = [
        Middleware(ForwardedHeaders, list(settings.trusted_proxies)),
        Middleware(SecurityHeaders),
    ]
    first = Middleware(OperationsFirst)
    if not settings.cors_origins:
        return [*always, first]
    # No credentials: pages send the token in a header themselves, never in a cookie.
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
        first,
    ]


def _routes(settings: Settings, pages: Pages) -> list[BaseRoute]:
    graphiql = pages.graphiql if settings.graphiql else None
    front = pages.dashboard or (graphiql and request_response(_to_graphiql))
    return [
        # In the order of how much is asked of them, because each is tried in turn.
        *graphql_routes(graphiql),
        *event_routes(pages.dashboard),
        Route("/", ForBrowsers(front, request_response(_index))),
        *([Route("/portal", pages.portal)] if pages.portal else []),
        pages.files(),
        Route("/healthz", healthz),
        Route("/readyz", answered_together(readyz)),
        Route("/metrics", answered_together(metrics)),
    ]


async def _to_graphiql(_request: Request) -> Response:
    return RedirectResponse("graphql")  # relative: a proxy may serve us below a path


async def _index(_request: Request) -> Response:
    """Lists the endpoints."""
    return JSONResponse(
        {
            "name": "Metergraph",
            "graphql": "graphql",
            "events": ["events", "v1/events/ingest"],
            "health": ["healthz", "readyz"],
            "metrics": "metrics",
        }
    )


def answered_together(endpoint: Endpoint) -> Endpoint:
    """Answers simultaneous requests once.

    The operator's pages need no token and use the few connections for looking up tokens. A flood of
    requests must not take them all.
    """
    making: asyncio.Future[Response] | None = None

    async def answer(request: Request) -> Response:
        nonlocal making
        if making is None or making.done():
            making = asyncio.ensure_future(endpoint(request))
        made = await asyncio.shield(making)
        # A copy for each, because middleware changes its headers.
        return Response(made.body, made.status_code, dict(made.headers))

    return answer
