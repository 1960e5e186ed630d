"""Nobody who asks is forgotten, and nobody waits in line."""

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
async def test_who_asks_meanwhile_gets_a_run_however_the_first_one_ends(
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


async def test_what_the_last_run_raises_is_raised_and_the_next_one_can_run() -> None:
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
