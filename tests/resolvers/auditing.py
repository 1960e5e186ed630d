"""Reads the audit log, and makes changes that it notes."""

from typing import Any

from tests.graphql_client import Api

ENTRIES = """
query ($object: ID, $first: Int, $after: String) {
  auditEntries(objectId: $object, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id at actorKind actor actorId action objectId input
      object { __typename id ... on Meter { name } ... on Customer { externalId } }
    }
  }
}
"""
ACTIONS = "query ($id: ID) { auditEntries(objectId: $id) { nodes { action } } }"
CUSTOMER = """
mutation ($input: CustomerCreateInput!) {
  customerCreate(input: $input) { customer { id } userErrors { code } }
}
"""
TOKEN = """
mutation ($input: AccessTokenCreateInput!) {
  accessTokenCreate(input: $input) { accessToken { id } secret userErrors { code } }
}
"""
METER = """
mutation ($name: String!) {
  meterCreate(input: {name: $name, filter: {}, aggregation: {function: COUNT}}) {
    meter { id } userErrors { code }
  }
}
"""


async def entries(api: Api, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await api.get(ENTRIES, **variables))["auditEntries"]["nodes"]
    return nodes


async def actions(api: Api, object_id: str | None = None) -> list[str]:
    """What was done to an object, latest first."""
    nodes = (await api.get(ACTIONS, id=object_id))["auditEntries"]["nodes"]
    return [node["action"] for node in nodes]
