"""Creates webhook endpoints through the API."""

from typing import Any

from tests.graphql_client import Api

CREATE = """mutation ($input: WebhookEndpointCreateInput!) {
  webhookEndpointCreate(input: $input) {
    secret webhookEndpoint { id url description eventTypes disabledAt failingSince }
    userErrors { code message path }
  }
}"""
URL = "https://hooks.example/metergraph?x=1"


async def create(api: Api, **given: Any) -> Any:
    answer = await api.get(CREATE, input={"url": URL, **given})
    return answer["webhookEndpointCreate"]
