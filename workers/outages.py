"""The outages that a worker outlives."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from waiting.outages import Outage, is_outage

Job = Callable[..., Coroutine[Any, Any, None]]


# One connection may be silent while others are answered.
_QUIET_SECONDS = 10.0


def database_outage() -> Outage:
    """Whether a worker can use PostgreSQL."""
    return Outage("PostgreSQL", quiet_seconds=_QUIET_SECONDS)


def outlives_database(job: Job) -> Job:
    """A job of arq that ends quietly in an outage of PostgreSQL: a later one finds what it left.

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
