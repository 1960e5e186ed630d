"""Servers and processes that end at a bad time: what was acknowledged is stored exactly once."""

import asyncio
import threading
from itertools import chain

import pytest

from metergraph_client import AsyncMetergraph
from tests.clients.faulty import FaultyProxy, answer, fall_silent
from tests.clients.world import SECONDS, MakeClient, World
from tests.silence import proxied

pytestmark = pytest.mark.servers

FIVE_EVENTS = """
import os, sys
from metergraph_client import Metergraph
client = Metergraph()
for _ in range(5):
    print(client.ingest("call", external_customer_id="acme"), flush=True)
"""


async def test_a_server_that_is_killed_under_load_has_every_event_once(
    world: World, make_client: MakeClient
) -> None:
    client = make_client(batch_events=20, queue_events=100, block_seconds=SECONDS, timeout=5.0)
    ids: list[list[str]] = [[] for _ in range(4)]

    def send(mine: list[str]) -> None:
        mine += [client.ingest("call", external_customer_id="acme") for _ in range(150)]

    threads = [threading.Thread(target=send, args=(mine,)) for mine in ids]
    for thread in threads:
        thread.start()
    while client.stats.inserted < 100:  # noqa: ASYNC110  # of other threads
        await asyncio.sleep(0.005)
    assert world.api.running is not None
    world.api.running.kill()
    world.api.running.wait()
    world.api.start()
    for thread in threads:
        thread.join(SECONDS)
    client.close(SECONDS)
    assert await world.stored() == sorted(chain(*ids))
    assert client.stats.inserted + client.stats.duplicates == 600


async def test_connections_that_fall_silent_are_given_up(
    world: World, make_client: MakeClient
) -> None:
    with proxied(world.url) as silencing:
        client = make_client(silencing.url, timeout=1.0)
        ids = [client.ingest("call", external_customer_id="acme")]
        client.flush(SECONDS)
        silencing.silence()
        ids.append(client.ingest("call", external_customer_id="acme"))
        client.flush(SECONDS)
        client.close(SECONDS)
    assert client.stats.retries >= 1
    assert await world.stored() == sorted(ids)


async def test_a_process_that_ends_delivers_what_is_queued(world: World) -> None:
    out, err = world.program(FIVE_EVENTS).communicate(timeout=SECONDS)
    assert err == ""
    assert await world.stored() == sorted(out.split())
    assert len(out.split()) == 5


async def test_a_process_that_ends_says_what_it_could_not_deliver(
    world: World, proxy: FaultyProxy
) -> None:
    proxy.always = lambda _body: answer(503)
    program = FIVE_EVENTS.replace("Metergraph()", "Metergraph(close_seconds=0.2)")
    out, err = world.program(program, proxy.url).communicate(timeout=SECONDS)
    said = next(line for line in err.splitlines() if "5 events are not delivered" in line)
    assert all(external_id in said for external_id in out.split())


async def test_what_a_killed_process_was_told_is_stored_is_stored_once(
    world: World, proxy: FaultyProxy
) -> None:
    program = """
from metergraph_client import Metergraph
client = Metergraph()
while True:
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(3)]
    client.flush(60)
    print(*ids, flush=True)
"""
    running = world.program(program, proxy.url)
    proxy.wait_for_requests(3)
    running.kill()
    out, _ = running.communicate(timeout=SECONDS)
    stored = await world.stored()
    complete = out.rpartition("\n")[0].split()
    assert set(complete) <= set(stored)
    assert len(stored) == len(set(stored))
    assert len(complete) >= 3


FORKING = """
import os, sys
from metergraph_client import Metergraph
client = Metergraph(linger_seconds=60)
ids = [client.ingest("before", external_customer_id="acme")]
child = os.fork()
ids.append(client.ingest("after", external_customer_id="acme"))
if child == 0:
    ids = ids[1:]
os.write(1, f"{' '.join(ids)}\\n".encode())  # in one piece, beside the other's
if child != 0:
    os.waitpid(child, 0)
"""

WORKERS = """
import multiprocessing
from metergraph_client import Metergraph
client = Metergraph(linger_seconds=60)
client.execute("{ me { scopes } }")

def work(number):
    client.execute("{ me { scopes } }")
    client.ingest("work", external_customer_id="acme", external_id=str(number))

print(*map(str, range(3)), "0-parent")
client.ingest("work", external_customer_id="acme", external_id="0-parent")
context = multiprocessing.get_context("fork")
workers = [context.Process(target=work, args=(number,)) for number in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
"""


@pytest.mark.parametrize("program", [FORKING, WORKERS])
async def test_a_forked_process_sends_its_own_events_only(world: World, program: str) -> None:
    out, err = world.program(program).communicate(timeout=SECONDS)
    assert "Error" not in err
    assert await world.stored() == sorted(out.split())


async def test_only_the_caller_prepares_for_tls_and_only_once(world: World) -> None:
    """While a thread prepares, it holds a lock for which a forked process would wait for ever."""
    program = """
import os, ssl, threading
made_by, create = [], ssl.create_default_context

def create_noted(*arguments, **options):
    made_by.append(threading.current_thread().name)
    return create(*arguments, **options)

ssl.create_default_context = create_noted
from metergraph_client import Metergraph
client = Metergraph()

def use():
    client.execute("{ me { scopes } }")
    client.ingest("call", external_customer_id="acme")
    client.flush(60)
    os.write(1, f"{made_by}\\n".encode())

use()
child = os.fork()
use()
if child != 0:
    os.waitpid(child, 0)
"""
    out, err = world.program(program).communicate(timeout=SECONDS)
    assert err == ""
    assert out.splitlines() == ["['MainThread']"] * 3
    assert len(await world.stored()) == 3


async def test_an_event_loop_that_ends_loses_no_event(world: World) -> None:
    program = """
import asyncio
from metergraph_client import AsyncMetergraph
client = AsyncMetergraph()

async def work():
    print(client.ingest("call", external_customer_id="acme"))
    await client.execute("{ me { scopes } }")

asyncio.run(work())
asyncio.run(work())
"""
    out, err = world.program(program).communicate(timeout=SECONDS)
    assert "Error" not in err
    assert await world.stored() == sorted(out.split())
    assert len(out.split()) == 2


async def test_an_asynchronous_client_delivers_until_it_is_closed(world: World) -> None:
    async with AsyncMetergraph(world.url, world.token, linger_seconds=60) as client:
        ids = [client.ingest("call", external_customer_id="acme") for _ in range(3)]
        await client.flush(SECONDS)
        assert client.stats.inserted == 3
        ids += [client.ingest("call", external_customer_id="acme")]
    assert await world.stored() == sorted(ids)


async def test_an_asynchronous_client_gives_up_in_time_and_without_a_trace(
    world: World, proxy: FaultyProxy
) -> None:
    proxy.plan(fall_silent)
    program = """
import asyncio, threading
from metergraph_client import AsyncMetergraph, UndeliveredError

async def work():
    client = AsyncMetergraph(timeout=1)
    client.ingest("call", external_customer_id="acme")
    try:
        await client.close(0.2)
    except UndeliveredError as error:
        print(error)

asyncio.run(work())
for thread in threading.enumerate():
    if thread.name == "metergraph-delivery":
        thread.join()
"""
    out, err = world.program(program, proxy.url).communicate(timeout=SECONDS)
    assert out == "1 events were not delivered.\n"
    assert "Error" not in err
    assert "Traceback" not in err
