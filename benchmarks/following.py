"""How many stored events a second `eventsFollowed` reads from a cursor, one follower."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.history import store_batch, system_with_history
from benchmarks.results import Result
from benchmarks.run import Run
from benchmarks.system import System, Tenant
from metering.counting.log import advance

NAME = "following"
_EVENTS = 50_000
_RARE = "file_upload"
_BEGINNING = base64.urlsafe_b64encode(f"0:{UUID(int=0)}".encode()).decode()

_FOLLOW = """subscription ($names: [String!], $where: MeterFilterInput, $after: String) {
  eventsFollowed(names: $names, where: $where, after: $after) {
    cursor event { id name timestamp metadata customer { externalId } }
  }
}"""
_LAST_IS_RARE = """
UPDATE event SET name = $2
WHERE organization_id = $1 AND id = (
    SELECT e.id FROM event e JOIN event_batch b ON b.id = e.batch_id
    WHERE e.organization_id = $1 ORDER BY b.position DESC, e.id DESC LIMIT 1
)
"""


async def measure(run: Run) -> list[Result]:
    """From the beginning of the log until the last event, which alone has a rare name."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    async with system_with_history(run, count, meters=1) as (system, tenant):
        await store_batch(tenant.organization.id, 1, timedelta(days=1))
        await advance(tenant.organization.id)
        await get_connection("default").execute_query(
            _LAST_IS_RARE, [tenant.organization.id, _RARE]
        )
        name = {"property": "name", "operator": "EQUALS", "value": _RARE}
        cases: dict[str, dict[str, Any]] = {
            "sends all": {},
            "sends one, by name": {"names": [_RARE]},
            "sends one, by a filter": {"where": {"clauses": [{"clause": name}]}},
        }
        return [
            Result(
                NAME,
                f"{count:,} events, {case}",
                f"{count / await _seconds(system, tenant, variables):,.0f} events/s",
            )
            for case, variables in cases.items()
        ]


async def _seconds(system: System, tenant: Tenant, variables: dict[str, Any]) -> float:
    """The seconds from the subscription to the last event."""
    url = f"ws://127.0.0.1:{system.port}/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol], max_size=None) as socket:
        token: dict[str, Any] = {"authorization": f"Bearer {tenant.token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": token}))
        await socket.recv()
        payload = {
            "query": _FOLLOW,
            "variables": {**variables, "after": _BEGINNING},
        }
        started = time.perf_counter()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "ping":
                continue
            assert message["type"] == "next", message
            if message["payload"]["data"]["eventsFollowed"]["event"]["name"] == _RARE:
                break
        return time.perf_counter() - started
