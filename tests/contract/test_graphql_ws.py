"""The server with npm graphql-ws, the reference client of graphql-transport-ws."""

import asyncio

import httpx
from arq.connections import ArqRedis

from config.settings import Settings
from models import Organization
from tests.api_process import api_process
from tests.contract.server import RunNode, Server, counted
from tests.serving import new_token


async def test_a_subscriber_sees_usage_change(server: Server, run_node: RunNode) -> None:
    seen = await run_node("graphql_ws.mjs", server.url, "subscribe", token=server.token)
    assert seen["units"] == {"c0": 3}


async def test_a_dropped_connection_resumes_without_a_gap_or_a_double(
    server: Server, run_node: RunNode
) -> None:
    seen = await run_node("graphql_ws.mjs", server.url, "resume", token=server.token)
    assert seen["connections"] == 5  # four were dropped
    assert seen["units"] == {f"c{index}": 12 for index in range(20)}
    assert len(set(seen["cursors"])) == len(seen["cursors"])


async def test_a_server_that_is_replaced_is_not_noticed(
    settings: Settings, organization: Organization, redis: ArqRedis, run_node: RunNode
) -> None:
    token = await new_token(organization)
    with api_process(settings) as process:
        async with (
            counted(redis, organization.id),
            httpx.AsyncClient(base_url=process.url, timeout=120) as http,
        ):
            watching = asyncio.create_task(
                run_node("graphql_ws.mjs", f"{process.url}/graphql", "restart", token=token)
            )
            while "metergraph_subscribers 1.0" not in (await http.get("/metrics")).text:
                assert not watching.done(), watching.result()
                await asyncio.sleep(0.05)
            process.ask_to_stop()
            code, _ = await asyncio.to_thread(process.stopped, 120)
            assert code == 0
            process.start()
            seen = await watching
    assert seen["connections"] == 2
    assert seen["closed"][0]["code"] == 1012
    assert len(set(seen["cursors"])) == len(seen["cursors"])


async def test_without_a_good_token_the_connection_is_closed_as_forbidden(
    server: Server, run_node: RunNode
) -> None:
    closed = await run_node("graphql_ws.mjs", server.url, "without_a_token", token=server.token)
    assert [one["code"] for one in closed] == [4403, 4403]
    assert "connection_init" in closed[0]["reason"]
    assert closed[1]["reason"] == "The token is unknown, revoked or expired"


async def test_a_hundred_subscriptions_share_a_socket(server: Server, run_node: RunNode) -> None:
    found = await run_node(
        "graphql_ws.mjs", server.url, "hundred_on_one_socket", token=server.token
    )
    assert found["connections"] == 1
    assert found["seen"] == [{f"c{index}": 1} for index in range(100)]


async def test_errors_reach_the_client_with_their_codes(server: Server, run_node: RunNode) -> None:
    invalid, refused, answered = await run_node(
        "graphql_ws.mjs", server.url, "errors", token=server.token
    )
    assert [error["extensions"]["code"] for error in invalid] == ["BAD_USER_INPUT"]
    errors = refused if isinstance(refused, list) else refused["errors"]
    assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]
    assert answered["data"]["organization"]["name"] == "Test"
