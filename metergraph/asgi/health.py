"""`/healthz`: this process lives. `/readyz`: it can serve requests."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from config import clock
from metergraph.database.migrations import lacking
from metergraph.database.opening import aside

_CHECK_SECONDS = 2.0
_UNKNOWN = "unknown"  # no secret
_LACKING = "pending"
_READ_ONLY = "SELECT current_setting('transaction_read_only')::bool AS is_read_only"
_PENDING = """
    SELECT count(*) AS batches,
           extract(epoch FROM now() - min(received_at)) AS oldest_seconds
    FROM event_batch
    WHERE position IS NULL
"""


@dataclass(frozen=True)
class Check:
    """The result of one check: `status` is "ok" or says what is wrong."""

    status: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Whether the check passed."""
        return self.status == "ok"


async def healthz(request: Request) -> JSONResponse:
    """Answers that the process lives."""
    del request
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Says whether requests can be served, and how far counting lags.

    The status is 200 if the database answers, accepts writes and is migrated, else 503. The check
    looks up a token, as every request does. Redis carries only hints: events are stored and
    counted without it. So Redis is shown but does not affect the status, and neither does this
    machine's clock, because PostgreSQL's decides.
    """
    secrets = request.app.state.graphql.services.secrets
    database, migrations = await asyncio.gather(
        _check(_database(secrets.find(_UNKNOWN))), _check(_migrations())
    )
    # In an unmigrated database, the first query fails for lack of a table; the second says why.
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
    """Compares this machine's clock with PostgreSQL's, which decides what is due."""
    ahead = clock.ahead()
    if ahead is None:
        return _unknown()
    seconds = round(ahead.total_seconds(), 3)
    return Check("off" if clock.is_off() else "ok", {"aheadSeconds": seconds})


def _unknown() -> Check:
    return Check("unknown")


async def _check(work: Awaitable[Any]) -> Check:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            found = await work
    except Exception as error:  # noqa: BLE001  # every failure is an answer
        return Check(f"failed: {type(error).__name__}")
    return found if isinstance(found, Check) else Check("ok")


async def _database(finding: Awaitable[Any]) -> Check:
    """Tries a request's first query; a read-only database, such as a standby, does not pass."""
    await finding
    (row,) = await aside().execute_query_dict(_READ_ONLY)
    return Check("read-only" if row["is_read_only"] else "ok")


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
