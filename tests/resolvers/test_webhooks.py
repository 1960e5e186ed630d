"""Webhook endpoints and deliveries through the API: what is refused, shown and done."""

from typing import Any

from models import Organization, OutboxEvent, WebhookEndpoint
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.hooking import URL, create
from tests.serving import new_token
from webhooks.secrets import decrypted

UPDATE = """mutation ($input: WebhookEndpointUpdateInput!) {
  webhookEndpointUpdate(input: $input) {
    webhookEndpoint { id url description eventTypes disabledAt disabledReason failingSince }
    userErrors { code message path }
  }
}"""
ROTATE = """mutation ($input: WebhookEndpointRotateSecretInput!) {
  webhookEndpointRotateSecret(input: $input) { secret userErrors { code path } }
}"""
DELETE = """mutation ($id: ID!) {
  webhookEndpointDelete(input: {id: $id}) { deletedId userErrors { code path } }
}"""
TEST = """mutation ($id: ID!) {
  webhookEndpointTest(input: {id: $id}) {
    delivery { id webhookId eventType status payload attempts { at } nextAttemptAt endpoint { id } }
    userErrors { code path }
  }
}"""
RESEND = """mutation ($id: ID!) {
  webhookDeliveryResend(input: {id: $id}) { delivery { id status } userErrors { code path } }
}"""


async def test_an_endpoint_is_created_and_its_secret_is_stored_encrypted(
    api: Api, organization: Organization
) -> None:
    made = await create(api, eventTypes=["invoice.issued", "invoice.issued"], description="ERP")
    assert made["userErrors"] == []
    assert made["secret"].startswith("whsec_")
    endpoint = made["webhookEndpoint"]
    assert endpoint["url"] == URL
    assert endpoint["eventTypes"] == ["invoice.issued"]
    assert (endpoint["disabledAt"], endpoint["failingSince"]) == (None, None)
    row = await WebhookEndpoint.get(organization_id=organization.id)
    assert made["secret"] not in row.secret
    assert decrypted(row.secret) == made["secret"]
    listed = await api.get("{ webhookEndpoints { totalCount nodes { id description } } }")
    assert listed["webhookEndpoints"] == {
        "totalCount": 1,
        "nodes": [{"id": endpoint["id"], "description": "ERP"}],
    }


async def test_unknown_types_and_bad_texts_are_refused(api: Api) -> None:
    made = await create(
        api, eventTypes=["invoice.issued", "invoice.eaten", "webhook.test"], description="\0"
    )
    assert [(error["code"], error["path"]) for error in made["userErrors"]] == [
        ("INVALID", ["description"]),
        ("INVALID", ["eventTypes", "1"]),
        ("INVALID", ["eventTypes", "2"]),
    ]


async def test_an_organization_has_at_most_twenty_endpoints(api: Api) -> None:
    made = [await create(api) for _ in range(21)]
    assert [one["userErrors"] for one in made[:20]] == [[]] * 20
    assert [error["code"] for error in made[20]["userErrors"]] == ["LIMIT_EXCEEDED"]


async def test_an_endpoint_is_changed_disabled_and_enabled(
    api: Api, organization: Organization
) -> None:
    id_ = (await create(api, description="ERP"))["webhookEndpoint"]["id"]

    async def update(**given: Any) -> Any:
        answer = await api.get(UPDATE, input={"id": id_, **given})
        return answer["webhookEndpointUpdate"]

    changed = await update(url="https://other.example/", eventTypes=["meter.failing"])
    assert changed["webhookEndpoint"]["url"] == "https://other.example/"
    assert changed["webhookEndpoint"]["eventTypes"] == ["meter.failing"]
    assert changed["webhookEndpoint"]["description"] == "ERP"
    assert (await update(description=None))["webhookEndpoint"]["description"] is None
    assert (await update(url="http://other.example/"))["userErrors"][0]["path"] == ["url"]
    assert (await update(enabled=False))["webhookEndpoint"]["disabledAt"] is not None
    answer = await api.get(TEST, id=id_)
    assert answer["webhookEndpointTest"]["userErrors"] == [{"code": "INVALID", "path": ["id"]}]
    await WebhookEndpoint.filter(organization_id=organization.id).update(disabled_reason="why")
    enabled = (await update(enabled=True))["webhookEndpoint"]
    assert (enabled["disabledAt"], enabled["disabledReason"]) == (None, None)


async def test_a_test_event_is_a_delivery_that_can_be_sent_again(
    api: Api, organization: Organization
) -> None:
    id_ = (await create(api, eventTypes=["meter.failing"]))["webhookEndpoint"]["id"]
    delivery = (await api.get(TEST, id=id_))["webhookEndpointTest"]["delivery"]
    event = await OutboxEvent.get(organization_id=organization.id)
    assert delivery["webhookId"] == f"msg_{event.id.hex}"
    assert (delivery["eventType"], delivery["status"]) == ("webhook.test", "PENDING")
    assert (delivery["attempts"], delivery["endpoint"]) == ([], {"id": id_})
    assert delivery["payload"]["type"] == "webhook.test"
    shown = await api.get(
        "query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint {"
        " id url description eventTypes createdAt } } }",
        id=id_,
    )
    assert delivery["payload"]["data"] == shown["node"]
    for status, number in (("PENDING", 1), ("FAILED", 0)):
        listed = await api.get(
            """query ($id: ID!, $status: WebhookDeliveryStatus!) {
              webhookDeliveries(endpointId: $id, status: $status) { totalCount nodes { id } }
              node(id: $id) { ... on WebhookEndpoint {
                deliveries(status: $status) { totalCount nodes { id } }
              } }
            }""",
            id=id_,
            status=status,
        )
        expected = {"totalCount": number, "nodes": [{"id": delivery["id"]}] * number}
        assert listed == {"webhookDeliveries": expected, "node": {"deliveries": expected}}
    again = await api.get(RESEND, id=delivery["id"])
    assert again["webhookDeliveryResend"] == {
        "delivery": {"id": delivery["id"], "status": "PENDING"},
        "userErrors": [],
    }


async def test_deliveries_are_listed_newest_first_by_pages(api: Api) -> None:
    id_ = (await create(api))["webhookEndpoint"]["id"]
    made = [
        (await api.get(TEST, id=id_))["webhookEndpointTest"]["delivery"]["id"] for _ in range(5)
    ]
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = await api.get(
            """query ($after: String) { webhookDeliveries(first: 2, after: $after) {
              nodes { id } pageInfo { endCursor hasNextPage }
            } }""",
            after=after,
        )
        seen += [one["id"] for one in page["webhookDeliveries"]["nodes"]]
        after = page["webhookDeliveries"]["pageInfo"]["endCursor"]
    assert seen == made[::-1]


async def test_rotation_shows_a_new_secret_and_keeps_the_old_one_for_a_while(
    api: Api, organization: Organization
) -> None:
    made = await create(api)
    id_ = made["webhookEndpoint"]["id"]
    rotated = (await api.get(ROTATE, input={"id": id_}))["webhookEndpointRotateSecret"]
    row = await WebhookEndpoint.get(organization_id=organization.id)
    assert decrypted(row.secret) == rotated["secret"] != made["secret"]
    assert decrypted(str(row.previous_secret)) == made["secret"]
    at_once = await api.get(ROTATE, input={"id": id_, "overlapHours": 0})
    assert at_once["webhookEndpointRotateSecret"]["userErrors"] == []
    await row.refresh_from_db()
    assert row.previous_secret is None
    for hours in (-1, 169):
        refused = await api.get(ROTATE, input={"id": id_, "overlapHours": hours})
        assert refused["webhookEndpointRotateSecret"]["userErrors"] == [
            {"code": "INVALID", "path": ["overlapHours"]}
        ]


async def test_a_deleted_endpoint_takes_its_deliveries_along(api: Api) -> None:
    id_ = (await create(api))["webhookEndpoint"]["id"]
    delivery = (await api.get(TEST, id=id_))["webhookEndpointTest"]["delivery"]["id"]
    assert (await api.get(DELETE, id=id_))["webhookEndpointDelete"]["deletedId"] == id_
    gone = await api.get(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } webhookDeliveries { totalCount } }",
        ids=[id_, delivery],
    )
    assert gone == {"nodes": [None, None], "webhookDeliveries": {"totalCount": 0}}
    again = await api.get(DELETE, id=id_)
    assert again["webhookEndpointDelete"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]


async def test_reading_and_writing_need_their_scopes(api: Api, organization: Organization) -> None:
    id_ = (await create(api))["webhookEndpoint"]["id"]
    billing = api.with_secret(
        await new_token(organization, Scope.BILLING_READ, Scope.BILLING_WRITE, Scope.USAGE_READ)
    )
    reading = api.with_secret(await new_token(organization, Scope.WEBHOOKS_READ))
    writing = api.with_secret(await new_token(organization, Scope.WEBHOOKS_WRITE))
    session = await api.session("acme")
    node = f'{{ node(id: "{id_}") {{ ... on WebhookEndpoint {{ id url }} }} }}'
    for refused in (billing, session):
        for query in ("{ webhookEndpoints { nodes { id } } }", node):
            assert await refused.codes(query) == ["FORBIDDEN"]
        assert await refused.codes(TEST, id=id_) == ["FORBIDDEN"]
    assert await reading.codes(node) == []
    assert await reading.codes(DELETE, id=id_) == ["FORBIDDEN"]
    assert await writing.codes("{ webhookEndpoints { nodes { id } } }") == ["FORBIDDEN"]
    assert (await writing.get(TEST, id=id_))["webhookEndpointTest"]["userErrors"] == []


async def test_a_repeated_key_returns_the_endpoint_without_its_secret(api: Api) -> None:
    first = await create(api, idempotencyKey="k")
    second = await create(api, idempotencyKey="k")
    assert second["webhookEndpoint"] == first["webhookEndpoint"]
    assert (second["secret"], second["userErrors"]) == (None, [])
    listed = await api.get("{ webhookEndpoints { totalCount } }")
    assert listed["webhookEndpoints"]["totalCount"] == 1
