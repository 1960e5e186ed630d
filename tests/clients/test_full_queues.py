"""What happens when events come faster than they can be delivered: the caller chooses."""

import asyncio
import threading

import pytest

from metergraph_client import AsyncMetergraph, Event, QueueFullError
from tests.clients.faulty import FaultyProxy, answer
from tests.clients.world import SECONDS, MakeClient, Told, World


async def test_the_caller_waits_for_room(
    world: World, make_client: MakeClient, proxy: FaultyProxy
) -> None:
    proxy.always = lambda _body: answer(503)
    client = make_client(proxy.url, queue_events=2, block_seconds=SECONDS)
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(2)]
    waiting = threading.Thread(
        target=lambda: ids.append(client.ingest("call", external_customer_id="acme"))
    )
    waiting.start()
    proxy.wait_for_requests(1)
    assert len(ids) == 2
    proxy.always = lambda _body: None
    waiting.join(SECONDS)
    client.flush(SECONDS)
    assert await world.stored() == sorted(ids)


@pytest.mark.parametrize("when_full", ["block", "raise"])
def test_the_caller_gets_the_event_back(
    make_client: MakeClient, proxy: FaultyProxy, when_full: str
) -> None:
    proxy.always = lambda _body: answer(503)
    client = make_client(proxy.url, queue_events=2, when_full=when_full, block_seconds=0.05)
    for _ in range(2):
        client.ingest("call", external_customer_id="acme")
    with pytest.raises(QueueFullError) as raised:
        client.ingest("call", external_customer_id="third")
    assert raised.value.event.external_customer_id == "third"
    assert raised.value.event.external_id is not None
    assert client.stats.queued == 2


def test_the_event_is_dropped_and_reported(
    make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    proxy.always = lambda _body: answer(503)
    client = make_client(proxy.url, queue_events=2, when_full="drop")
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(3)]
    [(event, reason)] = told.undelivered
    assert (event.external_id, reason) == (ids[2], "the queue is full")
    assert (client.stats.queued, client.stats.undelivered) == (2, 1)


async def test_a_coroutine_waits_for_room_while_others_run(
    world: World, proxy: FaultyProxy, told: Told
) -> None:
    proxy.always = lambda _body: answer(503)
    async with AsyncMetergraph(
        proxy.url, world.token, queue_events=2, on_undelivered=told.on_undelivered
    ) as client:
        ids = [client.ingest("call", external_customer_id="acme") for _ in range(2)]
        event = Event("call", external_customer_id="acme")
        with pytest.raises(QueueFullError):
            client.ingest_event(event)
        with pytest.raises(QueueFullError):
            await client.ingest_or_wait(event, timeout=0.05)
        waiting = [asyncio.create_task(client.ingest_or_wait(event, SECONDS)) for _ in range(3)]
        await asyncio.to_thread(proxy.wait_for_requests, 1)
        proxy.always = lambda _body: None
        ids += await asyncio.gather(*waiting)
        await client.flush(SECONDS)
    assert await world.stored() == sorted(ids)


IMPATIENT = """
import gc
from concurrent.futures import Future
from metergraph_client import FlushTimeoutError, Metergraph, QueueFullError

client = Metergraph(queue_events=1, block_seconds=0.001, close_seconds=0)
client.ingest("call", external_customer_id="acme")
gave_up = 0
for _ in range(50):
    try:
        client.ingest("call", external_customer_id="acme")
    except QueueFullError:
        gave_up += 1
    try:
        client.flush(0.001)
    except FlushTimeoutError:
        gave_up += 1
gc.collect()
print(gave_up, sum(isinstance(one, Future) for one in gc.get_objects()))
"""


def test_callers_that_give_up_leave_nothing_behind(world: World, proxy: FaultyProxy) -> None:
    """In a process of its own, which has no futures but the client's."""
    proxy.always = lambda _body: answer(503)
    out, err = world.program(IMPATIENT, proxy.url).communicate(timeout=SECONDS)
    assert "Traceback" not in err
    gave_up, left = map(int, out.split())
    assert gave_up == 100
    assert left < 20
