"""The time can be set, for one task and those that it starts."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config import clock

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


def test_now_is_the_time_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_it_stands_still_inside_the_block_and_goes_on_after() -> None:
    with clock.at(NOON):
        assert clock.now() == NOON
        with clock.at(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_an_instant_elsewhere_is_told_in_utc() -> None:
    with clock.at(datetime(2024, 2, 29, 14, tzinfo=timezone(timedelta(hours=2)))):
        assert clock.now() == NOON
        assert clock.now().utcoffset() == timedelta(0)


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"), clock.at(NOON.replace(tzinfo=None)):
        pass


async def test_other_tasks_keep_their_time() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def fixed() -> datetime:
        with clock.at(NOON):
            entered.set()
            await leave.wait()
            return clock.now()

    task = asyncio.create_task(fixed())
    await entered.wait()
    assert clock.now() > NOON
    leave.set()
    assert await task == NOON
