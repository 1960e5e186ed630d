"""POST /v1/events/ingest with Polar's SDKs, unchanged but for the address."""

import asyncio

import pytest
from polar import PolarClientError
from polar.v2026_10 import Polar, PolarAsync
from polar.v2026_10.errors import HTTPValidationError
from polar.v2026_10.inputs import EventCreateExternalCustomer

from tests.contract.server import SECONDS, RunNode, Server
from tests.contract.test_cloud_events import stored

EVENT = EventCreateExternalCustomer(
    name="call",
    external_customer_id="acme",
    external_id="e1",
    timestamp="2026-01-01T00:00:00Z",
    metadata={"tokens": 12.5, "cached": True},  # type: ignore[typeddict-unknown-key]  # mypy knows no extra_items
)
STORED = {
    "name": "call",
    "externalId": "e1",
    "timestamp": "2026-01-01T00:00:00Z",
    "metadata": {"tokens": 12.5, "cached": True},
    "customer": {"externalId": "acme"},
}


async def test_the_python_sdk_sends_events_here(server: Server) -> None:
    base = server.url.removesuffix("/graphql")

    def send() -> tuple[int, int]:
        with Polar(server.token, base_url=base, timeout=SECONDS) as polar:
            answer = polar.events.ingest(events=[EVENT])
            return answer.inserted, answer.duplicates

    assert await asyncio.to_thread(send) == (1, 0)
    async with PolarAsync(server.token, base_url=base, timeout=SECONDS) as polar:
        again = await polar.events.ingest(events=[EVENT])
        assert (again.inserted, again.duplicates) == (0, 1)
        with pytest.raises(HTTPValidationError) as refused:
            await polar.events.ingest(events=[{**EVENT, "name": "x" * 129}])
        assert refused.value.status_code == 422
        assert refused.value.error.detail is not None
        first = refused.value.error.detail[0]
        assert first.loc == ["body", "events", 0, "EventCreateCustomer", "name"]
        assert first.type == "string_too_long"
        unknown = "7a1f8d4c-35a9-4c1b-9f0e-6ce27a2d7b11"
        with pytest.raises(HTTPValidationError, match="Customer not found"):
            await polar.events.ingest(events=[{"name": "call", "customer_id": unknown}])
    async with PolarAsync("polar_oat_unknown", base_url=base, timeout=SECONDS) as polar:
        with pytest.raises(PolarClientError, match="invalid_token") as denied:
            await polar.events.ingest(events=[EVENT])
        assert denied.value.status_code == 401
    assert await stored(server) == [STORED]


async def test_the_javascript_sdks_send_events_here(server: Server, run_node: RunNode) -> None:
    found = await run_node("polar.mjs", server.url, token=server.token)
    assert found["today"]["stored"] == {"inserted": 2, "duplicates": 0}
    assert found["past"]["stored"] == {"inserted": 1, "duplicates": 0}
    for answers in found.values():
        assert answers["again"] == {"inserted": 0, "duplicates": 1}
        assert answers["invalid"]["name"] == "HTTPValidationError"
        assert answers["invalid"]["statusCode"] == 422
        first = answers["invalid"]["detail"][0]
        assert first["loc"] == ["body", "events", 0, "EventCreateCustomer", "name"]
        assert answers["unknown"]["statusCode"] == 401
    assert [node["externalId"] for node in await stored(server)] == [None, "e1", "e2"]
