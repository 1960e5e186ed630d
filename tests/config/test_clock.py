"""The time can be set, for one task and those that it starts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config import clock

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


def test_now_is_the_time_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_the_time_stands_still_inside_the_block() -> None:
    with clock.at(NOON):
        assert clock.now() == NOON
        with clock.at(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_an_instant_of_another_zone_is_given_in_utc() -> None:
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


@pytest.fixture
def _machine_time() -> Iterator[None]:
    yield
    clock.forget()


@pytest.mark.usefixtures("_machine_time")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_machine_whose_clock_is_off_tells_the_time_of_postgres(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = datetime.now(UTC)
    monkeypatch.setattr(clock, "machine_now", lambda: true + timedelta(hours=hours))
    assert (clock.ahead(), clock.is_off()) == (None, False)
    clock.follow(true, clock.elapsed(), clock.elapsed())
    assert timedelta(0) <= clock.now() - true < timedelta(minutes=5)
    assert clock.is_off()
    ahead = clock.ahead()
    assert ahead is not None
    assert timedelta(minutes=50) < abs(ahead) < timedelta(minutes=70)
    with clock.at(NOON):
        assert clock.now() == NOON


@pytest.mark.usefixtures("_machine_time")
def test_a_slow_reading_changes_nothing_unless_it_contradicts() -> None:
    asked = clock.elapsed()
    clock.follow(NOON, asked, asked + 0.002)
    clock.follow(NOON + timedelta(seconds=0.4), asked, asked + 1)
    assert clock.now() - NOON < timedelta(seconds=clock.elapsed() - asked)
    # PostgreSQL's clock was set, or it is another machine's now.
    clock.follow(NOON + timedelta(hours=1), asked, asked + 1)
    assert clock.now() - NOON > timedelta(minutes=50)
