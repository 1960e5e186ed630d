"""The server against npm graphql-http's audits of the GraphQL over HTTP specification."""

from tests.contract.server import RunNode, Server


async def test_every_audit_passes(server: Server, run_node: RunNode) -> None:
    results = await run_node("audit_http.mjs", server.url)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
