"""The server with npm graphql-sse, with a connection for each operation."""

from tests.contract.server import RunNode, Server


async def test_a_subscriber_sees_usage_change(server: Server, run_node: RunNode) -> None:
    seen = await run_node("graphql_sse.mjs", server.url, "subscribe", token=server.token)
    assert seen["units"] == {"c0": 5, "c1": 1}


async def test_a_dropped_stream_resumes_without_a_gap_or_a_double(
    server: Server, run_node: RunNode
) -> None:
    seen = await run_node("graphql_sse.mjs", server.url, "resume", token=server.token)
    assert seen["connections"] == 4  # three were dropped
    assert seen["units"] == {f"c{index}": 6 for index in range(5)}
    assert len(set(seen["cursors"])) == len(seen["cursors"])


async def test_queries_and_errors_come_as_results(server: Server, run_node: RunNode) -> None:
    answered, invalid, refused, unknown, anonymous = await run_node(
        "graphql_sse.mjs", server.url, "errors", token=server.token
    )
    assert answered[0]["data"] == {"organization": {"name": "Test"}}
    assert [len(results) for results in (answered, invalid, refused, anonymous)] == [1] * 4
    assert invalid[0]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert refused[0]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert anonymous[0]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert unknown == {"status": 401}
