"""Whether a worker does its work, for those who supervise it."""

import time
from dataclasses import dataclass

from config import clock
from workers.schedule import Recurring

MOST_SECONDS_SINCE_SWEEP = 15.0


@dataclass
class WorkerStatus:
    """What a worker knows of itself. `sweep` is None until it begins to work."""

    sweep: Recurring | None = None

    @property
    def seconds_since_sweep(self) -> float | None:
        """How long ago it last looked for events that wait, and counted them; None: never."""
        if self.sweep is None or self.sweep.succeeded_at is None:
            return None
        return time.monotonic() - self.sweep.succeeded_at

    @property
    def is_counting(self) -> bool:
        """Whether it looks for events that wait."""
        seconds = self.seconds_since_sweep
        return seconds is not None and seconds <= MOST_SECONDS_SINCE_SWEEP

    @property
    def is_ready(self) -> bool:
        """Whether it counts, and its machine's clock is right."""
        return self.is_counting and not clock.is_off()
