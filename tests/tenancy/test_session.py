"""A customer's session reaches everything of its own view and nothing else.

The calls are made from the schema, so that a new field is tried the day it is added.
"""

from functools import partial

import pytest

from tests.graphql_client import Api
from tests.ingesting import drain
from tests.tenancy.asking import own_id, request
from tests.tenancy.places import Place
from tests.tenancy.walking import object_type, walk
from tests.tenancy.world import Tenant

# What a session may ask at the root.
OWN = {"Query.me", "Query.usageCheck", "Query.viewer", "Subscription.usageUpdated"}


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
async def test_a_session_may_use_no_root_field_but_its_own(own: Tenant, root: str) -> None:
    session = await own.api.session(own.customer)
    for name in object_type(root).fields:
        if f"{root}.{name}" in OWN:
            continue
        place = Place(root, name, (), "")
        document, variables = request(own, place, None, 0)
        accept = "text/event-stream" if root == "Subscription" else "application/json"
        answer = await session.post({"query": document, "variables": variables}, accept=accept)
        assert '"code":"FORBIDDEN"' in answer.text, (name, answer.text)
        assert '"code":"' not in answer.text.replace('"code":"FORBIDDEN"', ""), name


async def test_a_session_reaches_no_node(own: Tenant) -> None:
    session = await own.api.session(own.customer)
    for type_name, node_id in own.ids.items():
        answer = await session.ask("query ($id: ID!) { node(id: $id) { id } }", id=node_id)
        assert (answer.get("data") or {}).get("node") is None, type_name


async def test_nothing_that_a_session_reaches_is_of_another_customer(api: Api, own: Tenant) -> None:
    await api.get(
        "mutation ($events: [EventInput!]!) {"
        ' customerCreate(input: {externalId: "secret", name: "secret", email: "secret"}) '
        "{ userErrors { message } }"
        " eventsIngest(input: {events: $events}) { userErrors { message } }"
        "}",
        events=[
            {
                "name": "ai",
                "externalCustomerId": "secret",
                "externalId": "secret",
                "metadata": {"tokens": 424242, "note": "secret"},
            }
        ],
    )
    await drain(own.organization.id)
    session = await api.session(own.customer)

    tried, answered = set(), set()
    steps = [
        step
        for root, document in (("Customer", "{ viewer %s }"), ("Me", "{ me %s }"))
        async for step in walk(session, root, document, partial(own_id, own))
    ]
    for step in steps:
        assert "secret" not in step.text, step.document
        assert "424242" not in step.text, step.document
        assert step.codes <= {"FORBIDDEN"}, step.answer
        tried.add(step.name)
        if not step.codes:
            answered.add(step.name)
    assert len(tried) > 60
    # What it is for does answer; everybody's usage of a meter does not.
    assert {"Customer.meters", "Customer.invoices", "CustomerMeter.balance"} <= answered
    assert {
        "Meter.customers",
        "Meter.events",
        "Meter.progress",
        "Organization.accessTokens",
    } <= tried - answered
