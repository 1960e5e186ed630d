"""schema.graphql against @graphql-eslint's recommended rules and those for Relay."""

import json
from pathlib import Path

from graphql import GraphQLObjectType, build_schema, get_named_type

from tests.contract.server import HERE, RunNode

SCHEMA = Path(__file__).parents[2] / "schema.graphql"


async def test_no_rule_is_broken(run_node: RunNode) -> None:
    answer = await run_node("eslint_schema.mjs", str(SCHEMA))
    assert answer["found"] == []
    assert answer["rules"] >= 24


def test_every_exception_has_its_reason() -> None:
    exceptions = json.loads((HERE / "eslint_exceptions.json").read_text())
    assert len(exceptions) == 3
    assert all(len(exception["reason"]) > 40 for exception in exceptions.values())


def test_the_nodes_of_edges_are_nodes_but_for_values() -> None:
    """A simulated customer is a part of its simulation, and has no id of its own."""
    types = build_schema(SCHEMA.read_text()).type_map
    nodes = {
        get_named_type(edge.fields["node"].type)
        for name, edge in types.items()
        if name.endswith("Edge") and isinstance(edge, GraphQLObjectType)
    }
    assert len(nodes) > 10
    others = {
        node.name
        for node in nodes
        if isinstance(node, GraphQLObjectType)
        and "Node" not in {interface.name for interface in node.interfaces}
    }
    assert others == {"SimulatedCustomer"}


async def test_the_rules_do_find_what_breaks_them(run_node: RunNode, tmp_path: Path) -> None:
    text = SCHEMA.read_text().replace('"""Why it is not stored."""', "")
    broken = tmp_path / "broken.graphql"
    broken.write_text(text + "\ntype ThingConnection { things: [Int] }\n")
    answer = await run_node("eslint_schema.mjs", str(broken))
    rules = {finding["ruleId"].removeprefix("@graphql-eslint/") for finding in answer["found"]}
    assert {"require-description", "relay-connection-types"} <= rules
