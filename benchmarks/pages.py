"""A page of events with their customers, a dashboard's query, and a long series.

Beside PostGraphile, where there is Node.js, and beside bare SQL with orjson: the same rows of the
same database in the same run.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import orjson

from benchmarks.history import DAYS, end_of_history, system_with_history
from benchmarks.http_client import HttpConnection
from benchmarks.page_queries import CASES, METERS, Case
from benchmarks.peer import NODE_MAJOR, Peer, running_peer
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant
from schema.ids import split_id

NAME = "pages"
_EVENTS = 200_000
_CLIENTS = 8
_SECONDS = 10.0
_AIM_SECONDS = 0.02

Ask = Callable[[], Awaitable[bytes]]
Connect = Callable[[], Awaitable[HttpConnection]]


@dataclass(frozen=True)
class Load:
    """What some clients met: answers a second, and the seconds that each took."""

    rate: float
    taken: list[float]


async def measure(run: Run) -> list[Result]:
    """Each question with one client and with eight, for some seconds."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    seconds = _SECONDS / 5 if run.quick else _SECONDS
    async with (
        system_with_history(run, count, METERS) as (system, tenant),
        running_peer(system) as peer,
    ):
        return [
            await _compare(system, tenant, peer, case, clients, seconds)
            for case in CASES
            for clients in (1, _CLIENTS)
        ]


async def _compare(
    system: System, tenant: Tenant, peer: Peer | None, case: Case, clients: int, seconds: float
) -> Result:
    end = end_of_history()
    span = {"start": end - timedelta(days=DAYS), "end": end} if case.ranged else {}
    organization = tenant.organization.id
    async with AsyncExitStack() as stack:
        own = await _posting(
            stack, partial(system.connect, tenant.token), clients, case.query, span
        )
        ours = await _load(own, seconds)
        bare = await _load(
            [
                await _fetching(stack, system, case.bare, organization, *span.values())
                for _ in range(clients)
            ],
            seconds,
        )
        theirs = None
        if peer is not None:
            variables = {"organization": str(organization), **span}
            asking = await _posting(stack, peer.connect, clients, case.peer_query, variables)
            assert _plain(await own[0]()) == _plain(await asking[0]())
            theirs = await _load(asking, seconds)
    return _result(case, clients, ours, theirs, bare)


async def _posting(
    stack: AsyncExitStack, connect: Connect, clients: int, query: str, variables: dict[str, Any]
) -> list[Ask]:
    """Clients that ask an API one question over and over, each on a connection of its own."""
    body = orjson.dumps({"query": query, "variables": variables})
    connections = [await connect() for _ in range(clients)]
    for connection in connections:
        stack.push_async_callback(connection.close)
    answer = await connections[0].post(body)
    assert b'"errors"' not in answer, answer
    return [partial(connection.post, body) for connection in connections]


async def _fetching(stack: AsyncExitStack, system: System, sql: str, *arguments: Any) -> Ask:
    """A client of the database: the SQL alone, serialised, without HTTP, GraphQL or tokens."""
    connection = await system.bare_connection()
    stack.push_async_callback(connection.close)

    async def ask() -> bytes:
        rows = await connection.fetch(sql, *arguments)
        return orjson.dumps([tuple(row) for row in rows], default=str)

    return ask


async def _load(clients: list[Ask], seconds: float) -> Load:
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def client(ask: Ask) -> None:
        while (started := time.perf_counter()) < end:
            await ask()
            taken.append(time.perf_counter() - started)

    await asyncio.gather(*(client(ask) for ask in clients))
    return Load(len(taken) / seconds, taken)


def _plain(answer: bytes) -> Any:
    """The data of an answer, whoever wrote it: keys as UUIDs, numbers and instants by value."""
    return _value(orjson.loads(answer)["data"])


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, str):
        key = split_id(value)
        if key is not None:
            return str(key[1])
        for read in (Decimal, datetime.fromisoformat):
            try:
                return read(value)
            except (InvalidOperation, ValueError):
                continue
    return value


def _result(case: Case, clients: int, ours: Load, theirs: Load | None, bare: Load) -> Result:
    """One client is held to a time, several to what the peer serves them."""
    if clients == 1:
        shown, aim = _p50, f"< {_AIM_SECONDS * 1e3:.0f} ms"
        met: bool | None = median(ours.taken) < _AIM_SECONDS
    else:
        shown, aim = _rate, "PostGraphile's"
        met = None if theirs is None else ours.rate >= theirs.rate
    peer = f"needs Node.js {NODE_MAJOR}" if theirs is None else shown(theirs)
    return Result(
        NAME,
        f"{case.name}, {'1 client, p50' if clients == 1 else f'{clients} clients'}",
        shown(ours),
        beside=f"PostGraphile {peer}; bare SQL {shown(bare)}",
        ratio="" if theirs is None else f"{ours.rate / theirs.rate:.2f}",
        aim=aim if case.aimed else "",
        met=met if case.aimed else None,
    )


def _p50(load: Load) -> str:
    return f"{median(load.taken) * 1e3:.1f} ms"


def _rate(load: Load) -> str:
    return f"{load.rate:,.0f}/s, p99 {percentile(load.taken, 0.99) * 1e3:.0f} ms"
