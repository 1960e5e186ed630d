"""Updates that come together read what they refer to together."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from config.settings import Settings
from models import Organization
from tests.resolvers.test_statements import counted, grow
from tests.serving import new_token, served

_SNAPSHOT = """
subscription {
  usageUpdated { customerMeter { consumedUnits meter { name } ...Whose } }
}
fragment Whose on CustomerMeter { ... { customer { externalId } } }
"""


async def updates(url: str, token: str, count: int) -> list[Any]:
    """The first updates of a new subscriber."""
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url.replace("http", "ws") + "/graphql", subprotocols=[protocol]) as socket:
        payload: dict[str, Any] = {"token": token}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        await socket.recv()
        payload = {"query": _SNAPSHOT}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        messages = [json.loads(await socket.recv()) for _ in range(count)]
    return [message["payload"]["data"]["usageUpdated"]["customerMeter"] for message in messages]


async def test_a_snapshot_of_more_makes_no_more_statements(
    settings: Settings, organization: Organization, other_organization: Organization
) -> None:
    reading = []
    async with served(settings) as url, asyncio.timeout(60):
        for tenant, size in ((organization, 2), (other_organization, 6)):
            await grow(tenant, size)
            token = await new_token(tenant)
            with counted() as statements:
                found = await updates(url, token, size * size)
            pairs = {(one["customer"]["externalId"], one["meter"]["name"]) for one in found}
            assert pairs == {(f"c{n}", f"meter {m}") for n in range(size) for m in range(size)}
            reading.append(
                [
                    sum(f'FROM "{table}"' in statement for statement in statements)
                    for table in ("customer", "meter")
                ]
            )
    assert reading == [[1, 1], [1, 1]]
