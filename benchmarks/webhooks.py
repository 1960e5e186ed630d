"""Webhooks from one worker to a receiver on this machine: how many a second, and how soon."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from tortoise.transactions import in_transaction

from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from metering.live.outbox import OutboxType, publish
from models import Customer
from schema.ids import encode_id
from webhooks.endpoints import create_endpoint

NAME = "webhooks"
_RATE = 50
_AT_ONCE = 500
_MOST_SECONDS = 120
_THROUGHPUT_AIM = 500
_DELAY_AIM = 1.0
_UPDATE = """mutation ($id: ID!, $name: String!) {
  customerUpdate(input: {id: $id, name: $name}) { customer { id } }
}"""


@dataclass
class _Receiver:
    """Takes everything, and keeps when each message came, by its object's name."""

    port: int = 0
    came: dict[str, float] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                body = orjson.loads(await reader.readexactly(int(length)))
                self.came[body["data"]["name"]] = time.perf_counter()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def wait_for(self, number: int) -> None:
        async with asyncio.timeout(_MOST_SECONDS):
            while len(self.came) < number:  # noqa: ASYNC110  # as often as it matters
                await asyncio.sleep(0.01)


@asynccontextmanager
async def _receiving() -> AsyncIterator[_Receiver]:
    receiver = _Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def measure(run: Run) -> list[Result]:
    """Delivers a backlog at full speed, then single events at a steady rate."""
    async with running_system(run.folder) as system, _receiving() as receiver:
        tenant = await system.new_tenant(0)
        url = f"http://127.0.0.1:{receiver.port}/"
        await create_endpoint(tenant.organization.id, url, ["customer.updated"], None)
        await _throughput(tenant, receiver, 200)  # warms up
        number = 2_000 if run.quick else 10_000
        rate = await _throughput(tenant, receiver, number)
        delays = await _delays(system, tenant, receiver, _RATE * (5 if run.quick else 30))
        late = percentile(delays, 0.99)
        return [
            Result(
                NAME,
                f"{number:,} waiting messages to one endpoint",
                f"{rate:,.0f}/s",
                aim=f"≥ {_THROUGHPUT_AIM}/s",
                met=rate >= _THROUGHPUT_AIM,
            ),
            Result(NAME, f"p50 of commit to arrival at {_RATE}/s", _ms(percentile(delays, 0.5))),
            Result(
                NAME,
                f"p99 of commit to arrival at {_RATE}/s",
                _ms(late),
                aim=f"< {_ms(_DELAY_AIM)}",
                met=late < _DELAY_AIM,
            ),
        ]


async def _throughput(tenant: Tenant, receiver: _Receiver, number: int) -> float:
    """Messages a second, from the commit of the last one of a backlog to its arrival."""
    receiver.came.clear()
    organization_id = tenant.organization.id
    prefix = f"{time.monotonic_ns()}"
    customers = [
        Customer(organization_id=organization_id, name=f"{prefix}-{each}") for each in range(number)
    ]
    async with in_transaction() as connection:
        await Customer.bulk_create(customers, batch_size=_AT_ONCE, using_db=connection)
        for start in range(0, number, _AT_ONCE):
            ids = [each.id for each in customers[start : start + _AT_ONCE]]
            await publish(connection, organization_id, OutboxType.CUSTOMER_UPDATED, *ids)
    began = time.perf_counter()
    await receiver.wait_for(number)
    return number / (max(receiver.came.values()) - began)


async def _delays(system: System, tenant: Tenant, receiver: _Receiver, number: int) -> list[float]:
    """Seconds from the answer to a mutation, which is sent when it is due, to the message."""
    receiver.came.clear()
    organization_id = tenant.organization.id
    customers = [Customer(organization_id=organization_id) for _ in range(number)]
    await Customer.bulk_create(customers, batch_size=_AT_ONCE)
    committed: dict[str, float] = {}
    connections = [await system.connect(tenant.token) for _ in range(4)]
    started = time.perf_counter()
    due = iter(enumerate(customers))

    async def send(place: int) -> None:
        for index, customer in due:
            await asyncio.sleep(max(0.0, started + index / _RATE - time.perf_counter()))
            name = f"late-{index}"
            variables = {"id": encode_id("Customer", customer.id), "name": name}
            answer = await connections[place].post(
                orjson.dumps({"query": _UPDATE, "variables": variables})
            )
            assert b'"errors"' not in answer, answer
            committed[name] = time.perf_counter()

    await asyncio.gather(*(send(place) for place in range(len(connections))))
    await receiver.wait_for(number)
    for connection in connections:
        await connection.close()
    return [max(0.0, receiver.came[name] - at) for name, at in committed.items()]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
