"""Lets jobs of a worker survive outages of PostgreSQL."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from waiting.outages import Outage, is_outage

Job = Callable[..., Coroutine[Any, Any, None]]


# One connection may be silent while others get answers.
_QUIET_SECONDS = 10.0


def database_outage() -> Outage:
    """Makes the record of whether a worker can use PostgreSQL."""
    return Outage("PostgreSQL", quiet_seconds=_QUIET_SECONDS)


def outlives_database(job: Job) -> Job:
    """Makes a job of arq end quietly in an outage of PostgreSQL; a later one does its work.

    Its context has an `Outage` as "database".
    """

    @functools.wraps(job)
    async def run(ctx: dict[str, Any], *arguments: Any) -> None:
        try:
            await job(ctx, *arguments)
        except Exception as error:
            if not is_outage(error):
                raise
            ctx["database"].away(error)
        else:
            ctx["database"].back()

    return run
