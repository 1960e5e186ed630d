"""Whether this process lives (`/healthz`), and whether it can serve (`/readyz`)."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from config import clock
from metergraph.database.migrations import lacking
from metergraph.database.opening import aside

_CHECK_SECONDS = 2.0
_NOBODYS = bytes(32)  # the hash of no secret
_LACKING = "pending"  # the status of migrations that the database lacks
_PENDING = """
    SELECT count(*) AS batches,
           extract(epoch FROM now() - min(received_at)) AS oldest_seconds
    FROM event_batch
    WHERE position IS NULL
"""


@dataclass(frozen=True)
class Check:
    """What was found of one thing: `status` is "ok" or what is wrong."""

    status: str
    details: dict[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.status == "ok"


async def healthz(request: Request) -> JSONResponse:
    """The process answers."""
    del request
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Whether requests can be served, and how far counting lags.

    200 when the database answers and is migrated, else 503. It is asked along the way that every
    request takes, which begins with its token. Redis only carries hints: without it events are
    still stored and counted, so its failure is shown and does not take us out. Nor does this
    machine's clock, because we go by PostgreSQL's.
    """
    database, migrations = await asyncio.gather(
        _check(request.app.state.graphql.services.secrets.find(_NOBODYS)), _check(_migrations())
    )
    # A database that was never migrated fails the first, for want of a table: the second says why.
    if not database.is_ok and migrations.status != _LACKING:
        migrations = _unknown()
    is_ready = database.is_ok and migrations.is_ok
    counting = await _check(_counting()) if is_ready else _unknown()
    redis = await _check(request.app.state.redis.ping())
    time = clock_check()
    checks = {
        "database": database,
        "migrations": migrations,
        "redis": redis,
        "counting": counting,
        "clock": time,
    }
    return JSONResponse(
        {
            "status": "ready" if is_ready else "not ready",
            **{name: {"status": check.status, **check.details} for name, check in checks.items()},
        },
        status_code=200 if is_ready else 503,
    )


def clock_check() -> Check:
    """Whether this machine's clock agrees with PostgreSQL's, which decides what is due."""
    ahead = clock.ahead()
    if ahead is None:
        return _unknown()
    seconds = round(ahead.total_seconds(), 3)
    return Check("off" if clock.is_off() else "ok", {"aheadSeconds": seconds})


def _unknown() -> Check:
    return Check("unknown", {})


async def _check(work: Awaitable[Any]) -> Check:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            found = await work
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
        return Check(f"failed: {type(error).__name__}", {})
    return found if isinstance(found, Check) else Check("ok", {})


async def _migrations() -> Check:
    pending = await lacking(aside().execute_query_dict)
    return Check(_LACKING if pending else "ok", {"pending": pending})


async def _counting() -> Check:
    rows = await aside().execute_query_dict(_PENDING)
    oldest = rows[0]["oldest_seconds"]
    return Check(
        "ok",
        {
            "pendingBatches": rows[0]["batches"],
            "oldestPendingSeconds": None if oldest is None else round(float(oldest), 3),
        },
    )
