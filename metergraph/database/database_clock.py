"""Reads PostgreSQL's clock regularly, for `config.clock`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog
from tortoise.connection import get_connection

from config import clock
from waiting.outages import is_outage
from waiting.patience import Patience

_log = structlog.get_logger(__name__)

SECONDS_BETWEEN_READINGS = 5.0
_SECONDS_BETWEEN_TRIES = 0.5  # until the first reading
# A reading is as uncertain as its round trip is long, so a late answer is of little use.
_SECONDS_FOR_READING = 2.0


async def read_database_clock() -> None:
    """Sets `clock.now()` to PostgreSQL's time. Raises what the database raises."""
    asked = clock.elapsed()
    rows = await get_connection("default").execute_query_dict("SELECT clock_timestamp() AS now")
    clock.follow(rows[0]["now"], asked, clock.elapsed())


@contextlib.asynccontextmanager
async def following_database_clock() -> AsyncIterator[None]:
    """Makes `clock.now()` PostgreSQL's time inside the block, whatever this machine's clock shows.

    The log says when this machine's clock starts to be off, and when it is right again. The
    database must be open; if PostgreSQL cannot be reached, this machine's clock is used until it
    can.
    """
    patience = Patience(_SECONDS_FOR_READING)
    await _read(patience)  # before the first requests need it
    following = asyncio.create_task(_follow(patience))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait((following,))
        clock.forget()


async def _follow(patience: Patience) -> None:
    was_off = False
    while True:
        was_off = _tell(was_off=was_off)
        known = clock.is_followed()
        await asyncio.sleep(SECONDS_BETWEEN_READINGS if known else _SECONDS_BETWEEN_TRIES)
        await _read(patience)


async def _read(patience: Patience) -> None:
    try:
        await patience.wait_for("clock", read_database_clock)
    except Exception as error:  # noqa: BLE001  # it is read again soon
        # Code that needs the database logs its outages.
        if not is_outage(error):
            _log.exception("cannot read PostgreSQL's clock")


def _tell(*, was_off: bool) -> bool:
    is_off = clock.is_off()
    ahead = clock.ahead()
    seconds = None if ahead is None else round(ahead / timedelta(seconds=1), 3)
    if is_off and not was_off:
        _log.warning(
            "this machine's clock is off; PostgreSQL's decides what is due", ahead_seconds=seconds
        )
    if was_off and not is_off:
        _log.info("this machine's clock agrees with PostgreSQL's again", ahead_seconds=seconds)
    return is_off
