"""A silent connection costs seconds, and slow work gets the time that it needs."""

import asyncio

import pytest

from waiting.outages import OutageError
from waiting.patience import Patience


async def test_silent_work_is_abandoned_even_if_it_ignores_cancellation() -> None:
    released = asyncio.Event()

    async def silent() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                # As asyncpg, which tells PostgreSQL first, and waits for it.
                continue

    async with asyncio.timeout(60):
        with pytest.raises(OutageError, match=r"no answer from PostgreSQL within 0\.05 s"):
            await Patience(0.05).wait_for("step", silent)
    released.set()


async def test_slow_work_gets_more_time_until_it_is_done() -> None:
    patience = Patience(0.05)
    tries = 0

    async def slow() -> int:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0.5)
        return tries

    failures = 0
    while True:
        try:
            assert await patience.wait_for("slow", slow) == failures + 1
            break
        except OutageError:
            failures += 1
    assert failures > 0
    assert await patience.wait_for("slow", slow) == failures + 2
    # Other work is not waited for any longer.
    with pytest.raises(OutageError):
        await patience.wait_for("other", slow)


async def test_an_error_of_the_work_is_raised() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Patience().wait_for("step", fails)
