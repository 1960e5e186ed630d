"""CloudEvents as tests send them."""

import json
from typing import Any

import httpx

from tests.graphql_client import Api

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LIST = """{ events { nodes {
  name externalId timestamp metadata customer { externalId }
} } }"""


def cloud_event(**changes: Any) -> dict[str, Any]:
    """A CloudEvent; a change to None leaves the attribute out."""
    usual = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/billing/gateway",
        "type": "ai_usage",
        "subject": "acme",
        "time": "2026-01-01T01:00:00.5+01:00",
        "data": {"tokens": 12},
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


async def post(api: Api, body: Any, media: str | None = STRUCTURED, **headers: str) -> Any:
    """The response to a request with this body; JSON unless it is bytes or text."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    declared = {} if media is None else {"content-type": media}
    return await api.http.post(
        "/events", content=content, headers={**api.headers, **declared, **headers}
    )


async def post_binary(api: Api, body: Any = b"", media: str | None = None, **ce: str) -> Any:
    """The response to a request in binary mode; the attributes are the usual ones and `ce`."""
    usual = cloud_event(data=None) | ce
    headers = {f"ce-{name}": value for name, value in usual.items()}
    return await post(api, body, media, **headers)


async def sent_batch(api: Api, *events: Any, query: str = "") -> httpx.Response:
    """The response to a batch."""
    return await api.http.post(
        f"/events{query}",
        content=json.dumps(list(events)),
        headers={**api.headers, "content-type": BATCH},
    )


async def stored(api: Api) -> list[dict[str, Any]]:
    """What the API shows of the stored events, the newest first."""
    nodes: list[dict[str, Any]] = (await api.get(LIST))["events"]["nodes"]
    return nodes


def errors(response: httpx.Response) -> list[tuple[str, list[str]]]:
    """The code and the path of each error."""
    return [
        (error["extensions"]["code"], error["extensions"].get("path", []))
        for error in response.json()["errors"]
    ]
