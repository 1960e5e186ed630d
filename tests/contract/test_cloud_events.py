"""POST /events with the CloudEvents SDKs: PyPI cloudevents, and npm cloudevents."""

from datetime import UTC, datetime
from typing import Any

import httpx
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.contract.server import SECONDS, RunNode, Server

LIST = """{ events { nodes {
  name externalId timestamp metadata customer { externalId }
} } }"""


def made(**changes: Any) -> CloudEvent:
    """An event with characters that headers cannot have."""
    attributes = {
        "id": 'e "1" 100%',
        "source": "https://gateway.example/eu",
        "type": "com.example.call",
        "subject": "größer 😀",
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "datacontenttype": "application/json",
        "specversion": "1.0",
    }
    return CloudEvent({**attributes, **changes}, {"tokens": 12})


async def sent(server: Server, message: HTTPMessage) -> Any:
    """The answer to a message."""
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        response = await client.post(
            server.url.replace("/graphql", "/events"),
            content=message.body,
            headers={**message.headers, "authorization": f"Bearer {server.token}"},
        )
    assert response.status_code == 200, response.text
    return response.json()


async def stored(server: Server) -> list[dict[str, Any]]:
    """The stored events, in the order of their external ids."""
    headers = {"authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(timeout=SECONDS, headers=headers) as client:
        answer = (await client.post(server.url, json={"query": LIST})).json()
    nodes: list[dict[str, Any]] = answer["data"]["events"]["nodes"]
    return sorted(nodes, key=lambda node: str(node["externalId"]))


async def test_what_the_python_sdk_sends_is_the_same_event_in_both_modes(server: Server) -> None:
    assert (await sent(server, to_binary_event(made())))["inserted"] == 1
    assert (await sent(server, to_structured_event(made())))["duplicates"] == 1
    assert await stored(server) == [
        {
            "name": "com.example.call",
            "externalId": 'https://gateway.example/eu e "1" 100%',
            "timestamp": "2026-01-01T00:00:00Z",
            "metadata": {"tokens": 12},
            "customer": {"externalId": "größer 😀"},
        }
    ]


async def test_what_the_javascript_sdk_sends_is_the_same_event_in_both_modes(
    server: Server, run_node: RunNode
) -> None:
    found = await run_node("cloud_events.mjs", server.url, token=server.token)
    counts = [(answer["inserted"], answer["duplicates"]) for answer in found["answers"]]
    assert counts == [(1, 0), (0, 1), (1, 0)]
    assert found["batch"]["status"] == 400
    (error,) = found["batch"]["errors"]
    assert error["extensions"] == {"code": "INVALID", "path": ["1", "subject"]}
    first, second = await stored(server)
    assert first["externalId"] == "https://gateway.example/eu e1"
    assert first["timestamp"] == "2026-01-01T00:00:00.500000Z"
    assert first["metadata"] == {"tokens": 12.5, "model": "größer"}
    assert first["customer"] == {"externalId": "acme"}
    assert second["metadata"] == {"tokens": 1}
