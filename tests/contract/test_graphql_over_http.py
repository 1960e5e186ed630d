"""The server against npm graphql-http's audits of the GraphQL over HTTP specification."""

import pytest

from tests.contract.conftest import RunNode

pytestmark = pytest.mark.contract


async def test_every_audit_passes(server_url: str, run_node: RunNode):
    results = await run_node("audit_http.mjs", server_url)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
