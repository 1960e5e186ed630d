"""The API as part of an ASGI application: its routes, and its background tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from arq.connections import ArqRedis
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from config.settings import Settings
from metering.ingest.group_commit import GroupCommit
from metering.ingest.storing import ingest
from metering.live.after_commit import performing_events
from metering.live.subscriptions import ChangeFeeds
from resolvers.schema import MetergraphSchema, create_schema
from schema.context import Services
from schema.scans import Scans
from transport.browser_sessions import BrowserSessions
from transport.events import cloud_events, polar
from transport.http import GraphQLApplication
from transport.persisted_queries import PersistedQueries, digest, listed_documents
from transport.rate_limits import RateLimits
from transport.visits import ForBrowsers
from waiting.turns import PIECES, Pace

_log = structlog.get_logger(__name__)

PATH = "/graphql"


@contextlib.asynccontextmanager
async def opened_api(settings: Settings, redis: ArqRedis) -> AsyncIterator[GraphQLApplication]:
    """Opens the GraphQL application; inside the block its feeds run and events are performed.

    The database must be open. Redis may be down.
    """
    services = services_of(settings, redis)
    async with performing_events(redis):
        listening = asyncio.create_task(services.feeds.listen())
        try:
            path = settings.persisted_queries
            listed = None if path is None else listed_documents(path)
            schema = create_schema(settings, listed)
            for text in listed or ():
                _warn_of_mistakes(schema, text)
            yield GraphQLApplication(
                schema,
                services,
                RateLimits(settings.rate_limit, redis),
                PersistedQueries(redis, listed),
            )
        finally:
            await _end(listening)


def services_of(settings: Settings, redis: ArqRedis) -> Services:
    """Makes what resolvers need. Its feeds do not run yet."""
    pace = Pace(PIECES)
    return Services(
        settings=settings,
        commits=GroupCommit(ingest),
        pace=pace,
        feeds=ChangeFeeds(redis, pace),
        scans=Scans(settings.max_scans),
    )


def _warn_of_mistakes(schema: MetergraphSchema, text: str) -> None:
    """Logs warnings about listed documents that cannot be run."""
    mistakes = schema.mistakes(text)
    if mistakes:
        reason = "; ".join(mistake.message for mistake in mistakes)
        _log.warning("a listed query cannot be run", sha256=digest(text), reason=reason)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancels a task until it ends.

    redis-py can turn a cancellation into an error of its own while it opens or closes a connection.
    A task that continues after errors then misses the cancellation.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=0.1)


def graphql_routes(page: ASGIApp | None = None) -> list[BaseRoute]:
    """The routes of the API; `app.state.graphql` must be the application of `opened_api`.

    Args:
        page: what a browser gets when it visits the API's address.
    """
    endpoint = _Endpoint()
    return [
        Route(PATH, ForBrowsers(page, endpoint, but_with="query")),
        WebSocketRoute(PATH, endpoint),
        Route("/session", BrowserSessions()),
    ]


def event_routes(page: ASGIApp | None = None) -> list[BaseRoute]:
    """The routes that take events; `app.state.graphql` must be the application of `opened_api`.

    Args:
        page: what a browser gets when it visits `/events`, an address of the dashboard.
    """
    return [
        Route(cloud_events.PATH, ForBrowsers(page, cloud_events.CloudEvents())),
        Route(polar.PATH, polar.PolarIngestion()),
    ]


class OperationsFirst:
    """Middleware that passes posted operations straight to the API, which is most requests.

    The router would take a tenth of their time. It keeps the other requests to the same path.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._endpoint = _Endpoint()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        is_operation = (
            scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH
        )
        await (self._endpoint if is_operation else self._app)(scope, receive, send)


class _Endpoint:
    """Passes requests on to the application that the lifespan has opened."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["app"].state.graphql(scope, receive, send)
