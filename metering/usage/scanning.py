"""Statements that read as many events as there are: scans.

Each keeps a processor of the database busy for as long as it runs. So it runs in its turn, and
without parallel workers: however many processors there are, a scan takes one.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

Place = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for the turn of a scan, which lasts for the block."""

# In the scan's transaction.
ON_ONE_PROCESSOR = "SELECT set_config('max_parallel_workers_per_gather', '0', true)"
