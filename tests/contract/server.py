"""The server that the programs of others are tried with, and how they are run."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from arq.connections import ArqRedis

from workers.process_events import Counting

HERE = Path(__file__).parent
SECONDS = 180


@dataclass(frozen=True)
class Server:
    """The API on a socket, counted by a worker, with a token of its own organization."""

    url: str
    token: str


@contextlib.asynccontextmanager
async def counted(redis: ArqRedis, organization_id: UUID) -> AsyncIterator[None]:
    """What a worker does for an organization, inside the block."""
    stopping = asyncio.Event()
    working = asyncio.create_task(_count(Counting(redis), organization_id, stopping))
    try:
        yield
    finally:
        stopping.set()
        await working


async def _count(counting: Counting, organization_id: UUID, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await counting.process_events(organization_id)
        await counting.catch_up_meters(organization_id)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.02)


class RunNode(Protocol):
    """Runs a program of this folder; gives what it printed, as JSON."""

    async def __call__(self, *arguments: str, token: str = "", folder: Path = HERE) -> Any:
        """Raises AssertionError where the program fails."""
