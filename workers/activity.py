"""What a worker has counted, said in one line now and then: a line a step would hide the others."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import structlog

_log = structlog.get_logger(__name__)

SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _CountedSteps:
    """Steps of counting, summed up."""

    organizations: set[UUID] = field(default_factory=set)
    number: int = 0
    batches: int = 0
    events: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


class Activity:
    """The steps of counting that no line has told of yet. A worker with nothing to do is silent."""

    def __init__(self) -> None:
        self._steps = _CountedSteps()

    def counted(self, organization_id: UUID, batches: int, events: int, seconds: float) -> None:
        """A step of an organization's log was counted."""
        steps = self._steps
        steps.organizations.add(organization_id)
        steps.number += 1
        steps.batches += batches
        steps.events += events
        steps.seconds += seconds
        steps.slowest = max(steps.slowest, seconds)

    async def say_for_ever(self) -> None:
        """Says what was counted, every ten seconds in which something was."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LINES)
            self.say()

    def say(self) -> None:
        """Says what was counted since the last time, if anything was."""
        steps, self._steps = self._steps, _CountedSteps()
        if steps.number == 0:
            return
        _log.info(
            "counted",
            events=steps.events,
            batches=steps.batches,
            organizations=len(steps.organizations),
            steps=steps.number,
            seconds=round(steps.seconds, 3),
            slowest_step_seconds=round(steps.slowest, 3),
        )
