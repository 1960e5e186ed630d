"""Everything that a token reaches is answered the same with and without another organization.

No number changes, and nothing of the other one comes over a subscription: also where nothing is
named, as in a plain list.
"""

import asyncio
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette

from models import Organization, exact_json
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.tenancy.asking import own_id, request, shown
from tests.tenancy.places import Place
from tests.tenancy.walking import object_type, walk
from tests.tenancy.world import Tenant, settled
from tests.websocket_client import connected

SECONDS_OF_SILENCE = 1.5  # nobody announces what this test has counted: feeds look by themselves
# The alert triggers at once.
HAPPEN = """mutation ($events: [EventInput!]!, $meter: ID!, $name: String!) {
  eventsIngest(input: {events: $events}) { inserted }
  usageAlertCreate(
    input: {name: $name, kind: CREDIT_BALANCE, threshold: "1000000", meterId: $meter}
  ) { alert { id } }
}"""


async def everything(tenant: Tenant) -> dict[str, str]:
    """All answers that do not change by themselves, by the fields that were asked for."""
    found = {}
    async for step in walk(tenant.api, "Query", "%s", partial(own_id, tenant)):
        assert step.codes <= {"NOT_FOUND", "BAD_USER_INPUT"}, step.answer
        found[step.name] = shown(step.answer, "-")
    return found


async def test_another_organization_changes_no_answer(
    own: Tenant, other_api: Api, other_organization: Organization
) -> None:
    alone = await everything(own)
    other = await settled(other_api, other_organization, "hidden")
    beside = await everything(own)
    assert len(beside) > 120
    for name, answer in beside.items():
        assert other.word not in answer, name
        assert answer == alone[name], name


@pytest.mark.parametrize("name", object_type("Subscription").fields)
async def test_nothing_of_another_organization_comes_over_a_subscription(
    application: Starlette, own: Tenant, other: Tenant, name: str
) -> None:
    document, variables = request(own, Place("Subscription", name, (), ""), None, 2)
    seen: list[str] = []
    async with connected(application, own.api.secret) as socket:
        await socket.subscribe(document, **variables)
        for tenant in (other, own):
            event = {"name": f"{tenant.word}-name", "externalCustomerId": tenant.customer}
            await tenant.api.get(
                HAPPEN,
                events=[{**event, "metadata": {"tokens": 1}}],
                meter=tenant.ids["Meter"],
                name=f"{tenant.word}-alert",
            )
            await drain(tenant.organization.id)
            seen += await heard(socket.outgoing, at_least=int(tenant is own))
    updates = [message for message in seen if exact_json.loads(message)["type"] == "next"]
    assert updates, seen
    for message in updates:
        assert "errors" not in exact_json.loads(message)["payload"], message
        assert other.word not in message
        assert not [foreign for foreign in other.ids.values() if foreign in message]


async def heard(messages: asyncio.Queue[Any], at_least: int) -> list[str]:
    """What comes until nothing more does; so many messages are waited for longer."""
    found: list[str] = []
    while True:
        try:
            async with asyncio.timeout(SECONDS_OF_SILENCE if len(found) >= at_least else 60):
                found.append((await messages.get())["text"])
        except TimeoutError:
            return found
