"""The server with npm @apollo/client: its pagination policy for Relay, and its cache."""

from tests.contract.server import RunNode, Server


async def test_pages_merge_and_a_subscription_updates_them(
    server: Server, run_node: RunNode
) -> None:
    found = await run_node("apollo.mjs", server.url, token=server.token)
    assert found["pages"] == 3
    assert found["total"] == 25
    assert sorted(found["customers"]) == sorted(f"c{index}" for index in range(25))
    assert found["cached"] == ["6"]
