"""A request during a run gets another run, and none waits in line."""

import asyncio
from uuid import UUID

import pytest

from workers.single_flight import SingleFlight

KEY = UUID(int=1)


class Runs:
    """Runs that end when they are told to, well or with an error."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def run(self, _key: UUID) -> None:
        self.begun += 1
        end = await self.ends.get()
        if end is not None:
            raise end

    async def until(self, begun: int) -> None:
        async with asyncio.timeout(60):
            while self.begun < begun:  # noqa: ASYNC110  # nothing tells of a run
                await asyncio.sleep(0)


@pytest.mark.parametrize("end", [None, RuntimeError("the first fails")])
async def test_a_request_during_a_run_gets_another_run(
    end: Exception | None,
) -> None:
    runs = Runs()
    flight = SingleFlight(runs.run)
    first = asyncio.create_task(flight.run(KEY))
    await runs.until(1)
    await flight.run(KEY)
    await flight.run(KEY)
    runs.ends.put_nowait(end)
    await runs.until(2)
    runs.ends.put_nowait(None)
    await first
    assert runs.begun == 2


async def test_a_failed_run_raises_and_the_next_one_can_run() -> None:
    runs = Runs()
    flight = SingleFlight(runs.run)
    runs.ends.put_nowait(RuntimeError("alone"))
    with pytest.raises(RuntimeError, match="alone"):
        await flight.run(KEY)
    runs.ends.put_nowait(None)
    await flight.run(KEY)
    assert runs.begun == 2


async def test_a_run_that_is_cancelled_ends() -> None:
    runs = Runs()
    flight = SingleFlight(runs.run)
    first = asyncio.create_task(flight.run(KEY))
    await runs.until(1)
    await flight.run(KEY)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert runs.begun == 1
