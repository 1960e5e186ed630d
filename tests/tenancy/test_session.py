"""A walk through everything that a customer's session reaches meets no other customer.

tests/resolvers/test_session_reach.py tries the other root fields, nodes and mutations.
"""

from functools import partial

from tests.graphql_client import Api
from tests.ingesting import drain
from tests.tenancy.asking import own_id
from tests.tenancy.walking import walk
from tests.tenancy.world import Tenant


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
