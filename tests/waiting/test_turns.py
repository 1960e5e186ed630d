"""Whose turn it is where places are few."""

import asyncio
from collections.abc import Hashable
from itertools import pairwise

import pytest

from waiting.turns import CrowdedError, Pace, Turns


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class _Crowd:
    """Tasks that take a place, note it, and keep it until they are told to leave."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.inside: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str, weight: float = 1) -> None:
        for name in names:
            self._gates[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._stay(name, name[0], weight))
        await _settle()

    async def _stay(self, name: str, key: Hashable, weight: float) -> None:
        async with self.turns.place(key, weight):
            self.inside.append(name)
            await self._gates[name].wait()
            self.inside.remove(name)

    async def leave(self, name: str) -> None:
        self._gates[name].set()
        await _settle()


async def test_a_key_has_its_share_and_the_others_theirs() -> None:
    crowd = _Crowd(Turns(places=3, each=2))
    await crowd.come("a1", "a2", "a3", "b1", "b2")
    assert crowd.inside == ["a1", "a2", "b1"]
    await crowd.leave("a1")
    assert crowd.inside == ["a2", "b1", "a3"]
    await crowd.leave("b1")
    assert crowd.inside == ["a2", "a3", "b2"]


async def test_the_waiting_key_that_was_served_least_comes_next() -> None:
    crowd = _Crowd(Turns(places=1, each=1))
    await crowd.come("x0", "a1", "a2", "a3", "b1", "b2")
    served = []
    for _ in range(6):
        (name,) = crowd.inside
        served.append(name)
        await crowd.leave(name)
    assert served == ["x0", "a1", "b1", "a2", "b2", "a3"]


async def test_heavier_work_comes_less_often() -> None:
    crowd = _Crowd(Turns(places=1, each=1))
    await crowd.come("x0")
    await crowd.come("a1", "a2", weight=3)
    await crowd.come(*(f"b{number}" for number in range(1, 6)))
    served = []
    for _ in range(8):
        (name,) = crowd.inside
        served.append(name)
        await crowd.leave(name)
    assert served == ["x0", "a1", "b1", "b2", "b3", "a2", "b4", "b5"]


async def test_cancelled_tasks_give_their_place_back() -> None:
    crowd = _Crowd(Turns(places=1, each=1))
    await crowd.come("a1", "a2", "a3", "b1")
    crowd.tasks["a2"].cancel()
    crowd.tasks["a1"].cancel()
    await _settle()
    assert len(crowd.inside) == 2  # a1 was cut off inside, and noted no leaving
    assert crowd.inside[1] == "a3"
    await crowd.leave("a3")
    assert crowd.inside[1:] == ["b1"]


async def test_a_place_given_to_a_cancelled_task_goes_to_the_next() -> None:
    turns = Turns(places=1, each=1)
    await turns.take("a")
    late = asyncio.create_task(turns.take("a"))
    await _settle()
    turns.give_back("a")  # which hands it to the task, that has not run yet
    late.cancel()
    await asyncio.wait((late,))
    assert late.cancelled()
    async with asyncio.timeout(30):
        await turns.take("b")


async def test_a_key_has_a_bounded_queue() -> None:
    turns = Turns(places=1, each=1, waiting=1)
    await turns.take("a")
    waiting = asyncio.create_task(turns.take("a"))
    await _settle()
    with pytest.raises(CrowdedError):
        await turns.take("a")
    other = asyncio.create_task(turns.take("b"))
    turns.give_back("a")
    await waiting
    turns.give_back("a")
    await other


async def test_a_pass_of_the_loop_lets_a_few_pieces_through_in_turn() -> None:
    pace = Pace(2)
    done: list[str] = []
    passes: list[int] = []

    async def piece(name: str) -> None:
        await pace.turn(name[0])
        done.append(name)

    async with asyncio.TaskGroup() as group:
        for name in ("a1", "a2", "a3", "a4", "b1", "b2"):
            group.create_task(piece(name))
        while len(done) < 6:
            passes.append(len(done))
            await asyncio.sleep(0)
    assert done == ["a1", "b1", "a2", "b2", "a3", "a4"]
    grown = [later - earlier for earlier, later in pairwise(passes)]
    assert max(grown) == 2
    assert not any(one and other for one, other in pairwise(grown))


async def test_a_heavy_piece_has_a_pass_to_itself() -> None:
    pace = Pace(2)
    done: list[str] = []

    async def piece(name: str, weight: float) -> None:
        await pace.turn(name[0], weight)
        done.append(name)

    tasks = [
        asyncio.create_task(piece(*each)) for each in (("a1", 2), ("b1", 1), ("c1", 1), ("a2", 2))
    ]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert done == ["a1", "c1", "a2"]
