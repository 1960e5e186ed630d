"""Events as tests send them by the API, and as it lists them."""

from typing import Any

from tests.graphql_client import Api

INGEST = """
mutation ($input: EventsIngestInput!) {
  eventsIngest(input: $input) {
    inserted duplicates conflicts rejected
    receipts { index status eventId error { code message path } }
    userErrors { code message path }
  }
}
"""
LIST = """
query ($first: Int, $after: String, $last: Int, $filter: EventFilter) {
  events(first: $first, after: $after, last: $last, filter: $filter) {
    nodes { name }
    pageInfo { hasNextPage endCursor startCursor }
    totalCount
  }
}
"""


async def ingest(api: Api, *events: Any, on_invalid: str = "REJECT_BATCH") -> Any:
    sent = {"events": list(events), "onInvalid": on_invalid}
    return (await api.get(INGEST, input=sent))["eventsIngest"]


async def names(api: Api, **filters: Any) -> list[str]:
    found = (await api.get(LIST, filter=filters))["events"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["name"] for node in found["nodes"]]


def event(name: str = "ai_usage", **fields: Any) -> dict[str, Any]:
    return {"name": name, "externalCustomerId": "c1", **fields}
