"""A customer's session, walked through everything its own view leads to: nobody else is there.

tests/resolvers/test_session_reach.py tries the other root fields, nodes and mutations.
"""

from functools import partial

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.tenancy.test_other_organization import own_id
from tests.tenancy.walking import walk
from tests.tenancy.world import settled


async def test_nothing_that_a_session_reaches_is_of_another_customer(
    api: Api, organization: Organization
) -> None:
    tenant = await settled(api, organization, "own")
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
    await drain(organization.id)
    opened = await api.get(
        "mutation ($id: String!) { customerSessionCreate(input: {externalCustomerId: $id}) "
        "{ token } }",
        id=tenant.customer,
    )
    session = api.with_secret(opened["customerSessionCreate"]["token"])

    tried, answered = set(), set()
    own = partial(own_id, tenant)
    steps = [
        step
        for root, document in (("Customer", "{ viewer %s }"), ("Me", "{ me %s }"))
        async for step in walk(session, root, document, own)
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
