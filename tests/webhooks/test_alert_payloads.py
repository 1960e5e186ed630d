"""A trigger of an alert is the same in webhooks, live and in queries."""

import asyncio
import re
from typing import Any

from arq.connections import ArqRedis
from starlette.applications import Starlette

from billing.alerts.estimated import decide_estimates
from config.settings import Settings
from models import Organization, OutboxEvent, exact_json
from tests.graphql_client import Api
from tests.ingesting import drain, send
from tests.outbox import listen
from tests.resolvers.ai_plan import subscribed
from tests.websocket_client import connected
from transport.application import services_of
from transport.webhook_objects import WebhookObjects, document
from waiting.patience import Patience
from webhooks.fan_out import fan_out

CREATE = """mutation ($input: UsageAlertCreateInput!) { usageAlertCreate(input: $input) {
  alert { id } userErrors { message } } }"""


def selection() -> str:
    """What webhooks select of a trigger."""
    found = re.search(r"\.\.\. on AlertTrigger (\{.*\}) \} \}$", document("AlertTrigger"))
    assert found is not None
    return found[1]


async def queried(api: Api, ids: list[str]) -> list[list[dict[str, Any]]]:
    """The triggers by each way to ask for them, in the order of their ids."""
    fields = selection()
    found = await api.get(
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on AlertTrigger {fields} }}"
        f" usageAlerts {{ nodes {{ triggers {{ nodes {fields} }} }} }}"
        f' customer(externalId: "acme") {{ alertTriggers {{ nodes {fields} }} }} }}',
        ids=ids,
    )
    of_alerts = [
        one for alert in found["usageAlerts"]["nodes"] for one in alert["triggers"]["nodes"]
    ]
    ways = [found["nodes"], of_alerts, found["customer"]["alertTriggers"]["nodes"]]
    return [sorted(way, key=lambda one: ids.index(one["id"])) for way in ways]


async def test_webhooks_subscription_and_queries_show_the_same_trigger(
    application: Starlette,
    api: Api,
    organization: Organization,
    settings: Settings,
    redis: ArqRedis,
) -> None:
    await subscribed(api, organization)
    meters = await api.get("{ meters { nodes { id } } }")
    amount = {"name": "much money", "kind": "ESTIMATED_AMOUNT", "currency": "USD"}
    units = {"kind": "CONSUMED_UNITS", "meterId": meters["meters"]["nodes"][0]["id"]}
    await listen(organization.id, "alert.triggered")
    live: list[dict[str, Any]] = []
    async with connected(application, api.secret) as socket:
        await socket.subscribe(
            f"subscription {{ alertTriggered {{ trigger {selection()} cursor }} }}"
        )
        async with asyncio.timeout(60):
            while application.state.graphql.services.feeds.followers != 1:  # noqa: ASYNC110  # nobody is told
                await asyncio.sleep(0.001)
        for alert in (
            {**amount, "threshold": "1"},
            {**units, "name": "many <units> “of” one", "threshold": "1000000.5"},
            {**units, "name": "of acme", "threshold": "1000001", "externalCustomerId": "acme"},
        ):
            made = await api.get(CREATE, input=alert)
            assert made["usageAlertCreate"]["userErrors"] == []
        await decide_estimates(Patience())
        used = {
            "name": "ai_usage",
            "externalCustomerId": "acme",
            "metadata": {"tokens": 1_000_002.25},
        }
        await send(organization.id, used)
        await drain(organization.id)
        for _ in range(3):
            message = await socket.receive()
            assert message["type"] == "next", message
            live.append(message["payload"]["data"]["alertTriggered"]["trigger"])

    await fan_out(organization.id, WebhookObjects(services_of(settings, redis)).render)
    events = await OutboxEvent.filter(organization_id=organization.id).order_by("sequence")
    sent = [exact_json.loads(str(event.body))["data"] for event in events]
    assert len(sent) == 3
    assert {(one["currency"], one["alert"]["currency"]) for one in sent} == {
        ("USD", "USD"),
        (None, None),
    }
    ids = [one["id"] for one in sent]
    assert sorted(live, key=lambda one: ids.index(one["id"])) == sent
    for way in await queried(api, ids):
        assert way == sent
