"""Nothing names a customer that is erased, whoever is at it meanwhile."""

from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization, OutboxEvent
from tests.graphql_client import Api
from tests.ingesting import send
from tests.metering.erasing import erase_all
from tests.outbox import listen
from tests.resolvers.ai_plan import CREDIT, ai_plan, made
from tests.resolvers.erasing import JANE, erase, jane, key_of, rendered_by
from webhooks.fan_out import fan_out


async def test_nothing_that_names_the_customer_is_left(
    api: Api, organization: Organization, database: BaseDBAsyncClient
) -> None:
    """Every text of every table is read."""
    await listen(organization.id)
    meter, _product = await ai_plan(api)
    await api.get(
        'mutation ($id: ID!) { meterUpdate(input: {id: $id, dimensions: ["user"]}) '
        "{ userErrors { message } } }",
        id=meter,
    )
    customer, key = await jane(api, organization), await key_of(organization)
    await send(organization.id, {"externalCustomerId": "other", "metadata": {"tokens": 1}})
    await api.get(
        'mutation ($meter: ID!) { usageAlertCreate(input: {name: "Jane uses much", kind: '
        'CONSUMED_UNITS, threshold: "1", meterId: $meter, externalCustomerId: "jane-4711"}) '
        "{ userErrors { message } } customerSessionCreate(input: {externalCustomerId: "
        '"jane-4711"}) { token } }',
        meter=meter,
    )
    await fan_out(organization.id, rendered_by(api))
    bodies = await OutboxEvent.filter(organization_id=organization.id).values_list(
        "body", flat=True
    )
    assert any("Jane Roe" in str(body) for body in bodies)
    await erase(api, id=customer)
    await erase_all(organization.id, key)
    await fan_out(organization.id, rendered_by(api))

    tables = await database.execute_query_dict(
        """
        SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'organization_id'
        """
    )
    assert len(tables) > 40
    for table in tables:
        rows = await database.execute_query_dict(
            f"SELECT t::text AS row FROM {table['name']} AS t WHERE organization_id = $1",
            [organization.id],
        )
        for row in rows:
            text = row["row"].lower()
            assert not [word for word in ("jane", "roe", "192.0.2.7") if word in text], table


async def test_the_audit_log_says_that_it_was_done_and_no_longer_to_whom(
    api: Api, organization: Organization
) -> None:
    meter, _product = await ai_plan(api)
    customer = await jane(api, organization)
    await made(
        api,
        CREDIT,
        input={
            "externalCustomerId": "jane-4711",
            "meterId": meter,
            "units": "12.5",
            "reason": "Jane Roe complained",
        },
    )
    await erase(api, externalCustomerId="jane-4711", idempotencyKey="jane-4711")
    found = await api.get(
        "query ($id: ID!) { auditEntries(objectId: $id) { nodes { action input erasedAt } } }",
        id=customer,
    )
    done, credited, created = found["auditEntries"]["nodes"]
    assert done == {
        "action": "customerErase",
        "input": {"externalCustomerId": "[erased]", "idempotencyKey": "[erased]"},
        "erasedAt": None,
    }
    assert credited["input"] == {
        "externalCustomerId": "[erased]",
        "meterId": meter,
        "units": "12.5",
        "reason": "[erased]",
    }
    assert created["input"] == dict.fromkeys(JANE, "[erased]")
    assert None not in (credited["erasedAt"], created["erasedAt"])


async def test_a_webhook_that_is_rendered_meanwhile_has_no_name(
    api: Api, organization: Organization
) -> None:
    await listen(organization.id, "customer.created")
    customer = await jane(api, organization)
    render = rendered_by(api)

    async def render_and_erase(organization_id: Any, events: Any) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = await render(organization_id, events)
        assert objects[0]["name"] == "Jane Roe"
        await erase(api, id=customer)
        return objects

    await fan_out(organization.id, render_and_erase)
    await fan_out(organization.id, render)
    [event] = await OutboxEvent.filter(organization_id=organization.id)
    assert event.body is not None
    assert "Jane" not in event.body
