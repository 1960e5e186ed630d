"""Meters as tests make them by the API: usually one that sums the tokens of `ai_usage`."""

from typing import Any

from tests.graphql_client import Api

METER = """
  id name unit isLocked archivedAt
  filter { conjunction clauses { ...Clause
    ... on MeterFilter { conjunction clauses { ...Clause } } } }
  aggregation { function property carriesOver }
"""
CLAUSE = " fragment Clause on MeterClause { property operator value }"
ERRORS = "userErrors { code message path }"
CREATE = (
    "mutation ($input: MeterCreateInput!) { meterCreate(input: $input) { meter {"
    + METER
    + "} "
    + ERRORS
    + "} }"
    + CLAUSE
)
COUNT = {"function": "COUNT"}
TOKENS = {"function": "SUM", "property": "tokens"}


def equals(property_: str, value: Any) -> dict[str, Any]:
    return {"clause": {"property": property_, "operator": "EQUALS", "value": value}}


AI_USAGE = {"clauses": [equals("name", "ai_usage")]}


async def create_meter(api: Api, **sent: Any) -> Any:
    usual = {"name": "Tokens", "filter": AI_USAGE, "aggregation": TOKENS}
    return (await api.get(CREATE, input={**usual, **sent}))["meterCreate"]
