"""A subscriber to usageUpdated, over graphql-transport-ws."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from models import exact_json

_SUBSCRIBE = """
subscription Live($meter: ID!) {
  usageUpdated(meterId: $meter) {
    customerMeter { consumedUnits customer { externalId } }
    cursor
  }
}
"""


@asynccontextmanager
async def subscribed(
    url: str, token: str, meter_id: str, on_update: Callable[[str, int, float], object]
) -> AsyncIterator[None]:
    """Calls `on_update` with customer, consumed units and the time, for every update.

    Args:
        url: of the API, beginning with ws://.
        token: of the organization.
        meter_id: the public id of a meter that counts.
        on_update: is called while the block runs.
    """
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol], max_size=None) as socket:
        payload: dict[str, Any] = {"authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        await socket.recv()
        payload = {"query": _SUBSCRIBE, "variables": {"meter": meter_id}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        reading = asyncio.create_task(_read(socket, on_update))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait((reading,))


async def _read(socket: ClientConnection, on_update: Callable[[str, int, float], object]) -> None:
    async for text in socket:
        now = time.perf_counter()
        message = exact_json.loads(text)
        if message["type"] == "next":
            usage = message["payload"]["data"]["usageUpdated"]["customerMeter"]
            on_update(usage["customer"]["externalId"], int(usage["consumedUnits"]), now)
        elif message["type"] != "ping":
            raise RuntimeError(f"Not an update: {text!r}")
