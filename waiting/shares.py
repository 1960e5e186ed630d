"""For whom a task works, by which it gets its share of a process's connections. A leaf.

A task that serves an organization says so once; it and the tasks that it starts then take turns
with those of other organizations. Storing events has connections of its own: whoever reads much
does not take them. What says nothing (workers, commands) takes whatever connection is free.
"""

from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from waiting.turns import Turns


class _Work(NamedTuple):
    organization_id: UUID
    events: int | None  # to be stored; None: it reads


class Share(NamedTuple):
    """A connection's place; to be given back."""

    turns: Turns
    organization_id: UUID

    def give_back(self) -> None:
        """Lets somebody else have a connection."""
        self.turns.give_back(self.organization_id)


_work: ContextVar[_Work | None] = ContextVar("work", default=None)


def serve(organization_id: UUID) -> None:
    """Says that this task, and those that it starts, serve an organization."""
    _work.set(_Work(organization_id, None))


def store(organization_id: UUID, events: int) -> None:
    """Says that this task stores so many events of an organization."""
    _work.set(_Work(organization_id, events))


class Shares:
    """The shares of so many connections.

    A third is for storing events: between organizations, those come next of whom the fewest events
    were stored. The others are for all else. One organization gets half of these, and two thirds of
    those: as many as it has commits at once, slow ones included.
    """

    def __init__(self, connections: int) -> None:
        storing = max(1, connections // 3)
        others = max(1, connections - storing)
        self._storing = Turns(storing, max(1, storing * 2 // 3))
        self._others = Turns(others, max(1, others // 2))

    async def take(self) -> Share | None:
        """Waits for the share of this task's organization; None where it serves none."""
        work = _work.get()
        if work is None:
            return None
        if work.events is None:
            turns, weight = self._others, 1
        else:
            turns, weight = self._storing, max(1, work.events)
        await turns.take(work.organization_id, weight)
        return Share(turns, work.organization_id)
