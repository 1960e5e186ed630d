"""An operation that takes too long is ended; a subscription is not."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization, exact_json
from tests.graphql_client import Api
from tests.websocket_client import USAGE, connected

SLOW = "{ organization { name } }"


@pytest.fixture(autouse=True)
def _hurried(application: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may take no time, and the organization is never found."""
    graphql = application.state.graphql
    hurried = graphql.settings.model_copy(update={"request_timeout_seconds": 0.05})
    monkeypatch.setattr(graphql, "settings", hurried)

    async def never(**_arguments: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Organization, "get", never)


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", "text/event-stream"]
)
async def test_over_http(api: Api, accept: str) -> None:
    response = await api.post({"query": SLOW}, accept=accept)
    assert response.status_code == 503
    (error,) = exact_json.loads(response.content)["errors"]
    assert error["extensions"]["code"] == "TOO_COMPLEX"


async def test_over_a_socket(application: Starlette, api: Api) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(USAGE, "endless")
        for _ in range(2):  # the id is free again
            await socket.subscribe(SLOW, "slow")
            message = await socket.receive()
            assert (message["type"], message["id"]) == ("error", "slow")
            assert message["payload"][0]["extensions"]["code"] == "TOO_COMPLEX"
        await socket.subscribe(USAGE, "endless")
        assert await socket.close_code() == 4409  # which goes on
