"""Workers are killed while they deliver: nothing is lost, and each object's order is kept."""

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from tortoise.transactions import in_transaction

from metering.live.outbox import OutboxType, publish
from models import Organization
from models.identifiers import new_id
from tests.faults.system import System, running_system, wait_until
from tests.webhooks.receiver import Received, Receiver, Response, receiving
from webhooks.endpoints import create_endpoint

pytestmark = [pytest.mark.servers, pytest.mark.slow]

_WORKERS = ("worker-1", "worker-2")
_OBJECTS = 40
_TYPES = (
    OutboxType.SUBSCRIPTION_CREATED,
    OutboxType.SUBSCRIPTION_CHANGED,
    OutboxType.SUBSCRIPTION_RENEWED,
    OutboxType.SUBSCRIPTION_ENDED,
)


@dataclass
class Gate:
    """How many requests are answered; the rest waits, so that a kill is always in the middle."""

    answered: float = 0


@contextmanager
def receiving_in_a_thread(gate: Gate) -> Iterator[Receiver]:
    """A receiver that answers after a moment, beside this test, which is synchronous."""
    ready: list[Receiver] = []
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def answer(_received: Received) -> Response:
        await asyncio.sleep(0.05)
        while len(ready[0].received) > gate.answered:  # noqa: ASYNC110  # another thread opens it
            await asyncio.sleep(0.05)
        return Response()

    async def serve() -> None:
        async with receiving(answer) as receiver:
            ready.append(receiver)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_killed_workers_lose_no_message_and_keep_the_order(
    setting: Callable[[str, str | None], None],
) -> None:
    setting("METERGRAPH_WEBHOOK_ALLOW_INSECURE", "true")
    gate = Gate()
    with receiving_in_a_thread(gate) as receiver, running_system(durable=True) as system:
        organization_id = system.run(lambda: prepared(receiver.url))
        objects = [new_id() for _ in range(_OBJECTS)]
        system.start(*_WORKERS)
        system.run(lambda: happen(organization_id, objects))
        # Each kill is in the middle: some messages have come, and more are on their way.
        for number in range(2):
            so_far = len(receiver.received)
            gate.answered = so_far + 20
            wait_until(lambda: len(receiver.received) >= so_far + 10, 120, "messages")  # noqa: B023  # called at once
            for worker in _WORKERS:
                if number % 2 or worker == _WORKERS[0]:
                    system.kill(worker)
            system.start(*_WORKERS)
        gate.answered = math.inf
        wait_until(lambda: pending(system) == 0, 300, "everything is delivered")

    first_came: dict[str, list[str]] = {}
    for message in receiver.messages:
        types = first_came.setdefault(message["data"]["id"], [])
        if message["type"] not in types:
            types.append(message["type"])
    assert len(first_came) == _OBJECTS
    assert all(types == [type_.value for type_ in _TYPES] for types in first_came.values())
    assert len({one.id for one in receiver.received}) == _OBJECTS * len(_TYPES)


async def prepared(url: str) -> UUID:
    """An organization with an endpoint."""
    organization = await Organization.create(name="Chaos", slug="chaos")
    await create_endpoint(organization.id, url, [], None)
    return organization.id


async def happen(organization_id: UUID, objects: list[UUID]) -> None:
    """Four things happen to each object."""
    for type_ in _TYPES:
        async with in_transaction() as connection:
            await publish(connection, organization_id, type_, *objects)


def pending(system: System) -> int:
    """How much is still to be delivered."""
    found: int = system.value(
        """
        SELECT (SELECT count(*) FROM outbox_event WHERE body IS NULL)
             + (SELECT count(*) FROM webhook_delivery WHERE status <> 'DELIVERED')
        """
    )
    return found
