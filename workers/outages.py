"""Servers that are away: said once when they go, once when they are back, not at every try."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import structlog
from tortoise.exceptions import DBConnectionError

_log = structlog.get_logger(__name__)

AWAY_ERRORS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DBConnectionError,
)
"""What PostgreSQL's clients raise while it is away, ending or starting."""

Job = Callable[..., Coroutine[Any, Any, None]]


class Outage:
    """Whether a server can be used, as far as this process has seen."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._reason: str | None = None

    def away(self, error: BaseException) -> None:
        """The server cannot be used."""
        reason = str(error) or repr(error)
        if reason != self._reason:
            _log.warning(f"{self._server} cannot be used; trying again", reason=reason)
        self._reason = reason

    def back(self) -> None:
        """The server was used."""
        if self._reason is not None:
            _log.info(f"{self._server} is back")
        self._reason = None


class Outages:
    """Those of a worker."""

    def __init__(self) -> None:
        self.database = Outage("PostgreSQL")
        self.redis = Outage("Redis")


def outlives_database(job: Job) -> Job:
    """A job of arq that does nothing while PostgreSQL is away: a later one finds what it left.

    Its context has an `Outage` as "database".
    """

    @functools.wraps(job)
    async def run(ctx: dict[str, Any], *arguments: Any) -> None:
        try:
            await job(ctx, *arguments)
        except AWAY_ERRORS as error:
            ctx["database"].away(error)
        else:
            ctx["database"].back()

    return run
