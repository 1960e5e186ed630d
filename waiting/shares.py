"""Shares the database connections of a process between organizations.

A task says once which organization it serves. It and the tasks it starts then take turns with those
of other organizations. Storing events has its own connections, which readers cannot take. Tasks
that say nothing, such as workers and commands, take any free connection.
"""

from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from waiting.turns import Turns


class _Work(NamedTuple):
    organization_id: UUID
    events: int | None  # to be stored; None: it reads


class Share(NamedTuple):
    """The right to a connection, until `give_back`."""

    turns: Turns
    organization_id: UUID

    def give_back(self) -> None:
        """Lets another task have the connection."""
        self.turns.give_back(self.organization_id)


_work: ContextVar[_Work | None] = ContextVar("work", default=None)


def serve(organization_id: UUID) -> None:
    """Declares that this task and those it starts serve an organization."""
    _work.set(_Work(organization_id, None))


def store(organization_id: UUID, events: int) -> None:
    """Declares that this task stores this many events of an organization."""
    _work.set(_Work(organization_id, events))


class Shares:
    """Divides connections between organizations.

    A third is for storing events, where the organization with the fewest stored events comes next;
    one organization gets at most two thirds of them, which suffices for all its commits at once.
    Of the connections for everything else, one organization gets at most half.
    """

    def __init__(self, connections: int) -> None:
        storing = max(1, connections // 3)
        others = max(1, connections - storing)
        self._storing = Turns(storing, max(1, storing * 2 // 3))
        self._others = Turns(others, max(1, others // 2))

    async def take(self) -> Share | None:
        """Waits for a share of this task's organization. None if it serves none."""
        work = _work.get()
        if work is None:
            return None
        if work.events is None:
            turns, weight = self._others, 1
        else:
            turns, weight = self._storing, max(1, work.events)
        await turns.take(work.organization_id, weight)
        return Share(turns, work.organization_id)
