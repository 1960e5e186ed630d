"""What must be small: what strangers and sessions send, and subscriptions, which are kept."""

from starlette.applications import Starlette

from tests.graphql_client import Api
from tests.websocket_client import USAGE, connected

QUERY = "{ __typename }"
LARGE = {"junk": "x" * 70_000}


async def test_a_session_sends_small_requests(api: Api) -> None:
    session = await api.session("acme")
    body = {"query": QUERY, "variables": LARGE}
    assert (await api.post(body)).status_code == 200
    refused = await session.post(body)
    assert refused.status_code == 413
    (error,) = refused.json()["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX", "maximumBytes": 65_536}
    assert (await session.post({"query": QUERY})).status_code == 200


async def test_strangers_and_sessions_send_small_messages(application: Starlette, api: Api) -> None:
    session = await api.session("acme")
    for secret, code in ((None, 1009), (session.secret, 1009), (api.secret, None)):
        async with connected(application, secret) as socket:
            await socket.send({"type": "ping", "payload": LARGE})
            answer = await socket.event()
            assert answer.get("code") == code


async def test_a_subscription_is_small(application: Starlette, api: Api) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(USAGE, "1", **LARGE)
        refused = await socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "1")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_COMPLEX"
        await socket.subscribe(QUERY, "2", **LARGE)
        assert (await socket.receive())["payload"]["data"] == {"__typename": "Query"}
    body = {"query": USAGE, "variables": LARGE}
    streamed = await api.post(body, accept="text/event-stream")
    assert streamed.status_code == 413
    assert streamed.json()["errors"][0]["extensions"]["code"] == "TOO_COMPLEX"
