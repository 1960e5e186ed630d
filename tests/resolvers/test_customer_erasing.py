"""A customer is erased: what goes, what stays, and what is refused afterwards."""

from tortoise.backends.base.client import BaseDBAsyncClient

from models import AuditEntry, CreditGrant, Customer, Organization
from schema.context import Scope
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import catch_up_all, drain, send
from tests.metering.erasing import erase_all, metadata_left
from tests.outbox import happened, listen
from tests.resolvers.ai_plan import CANCEL, CREDIT, ai_plan, made, refused, subscribed
from tests.resolvers.erasing import ERASE, EVENT, NUMBERS, STATE, erase, jane, key_of
from tests.serving import new_token


async def test_names_go_at_once_and_metadata_soon(
    api: Api, organization: Organization, database: BaseDBAsyncClient
) -> None:
    customer, key = await jane(api, organization), await key_of(organization)
    erased = await erase(api, externalCustomerId="jane-4711")
    assert erased.pop("erasedAt") is not None
    assert erased == {"id": customer, "externalId": None, "name": None, "email": None}
    state = (await api.get(STATE, id=customer))["customer"]
    assert state["erasure"] == {"erasedEvents": 0, "completedAt": None}
    await erase_all(organization.id, key)
    state = (await api.get(STATE, id=customer))["customer"]
    assert state["erasure"]["erasedEvents"] == 1
    assert state["erasure"]["completedAt"] is not None
    [event] = state["events"]["nodes"]
    assert event["metadata"] == {}
    assert event["externalId"] == "call-1"
    assert event["customer"] == {"name": None, "erasedAt": state["erasedAt"]}
    assert await metadata_left(database, organization.id, key) == 0


async def test_numbers_invoices_and_ledgers_stay(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    customer = (await api.get('{ customer(externalId: "acme") { id } }'))["customer"]["id"]
    key = (await Customer.get(organization_id=organization.id, external_id="acme")).id
    subscription = (await api.get("{ subscriptions { nodes { id } } }"))["subscriptions"]["nodes"][
        0
    ]
    await made(api, CANCEL, id=subscription["id"], when="NOW")
    numbers = await api.get(NUMBERS, id=customer)
    assert len(numbers["customer"]["invoices"]["nodes"]) == 2
    await erase(api, id=customer)
    assert await api.get(NUMBERS, id=customer) == numbers
    await erase_all(organization.id, key)
    assert await api.get(NUMBERS, id=customer) == numbers


async def test_a_live_subscription_and_a_draft_are_named(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    answer = await api.get(ERASE, input={"externalCustomerId": "acme"})
    [error] = answer["customerErase"]["userErrors"]
    assert error == {
        "code": "IN_USE",
        "path": ["externalCustomerId"],
        "message": "Its subscription to “AI plan” is active.",
    }
    await api.get(
        "mutation { organizationUpdate(input: {invoiceGraceHours: 24}) { userErrors { code } } }"
    )
    [subscription] = (await api.get("{ subscriptions { nodes { id } } }"))["subscriptions"]["nodes"]
    await made(api, CANCEL, id=subscription["id"], when="NOW")
    answer = await api.get(ERASE, input={"externalCustomerId": "acme"})
    [error] = answer["customerErase"]["userErrors"]
    assert (error["code"], error["message"]) == (
        "IN_USE",
        "An invoice for “AI plan” is not issued yet.",
    )
    assert (await api.get('{ customer(externalId: "acme") { erasedAt } }'))["customer"] == {
        "erasedAt": None
    }
    assert (
        await AuditEntry.filter(organization_id=organization.id, action="customerErase").count()
        == 0
    )


async def test_nothing_can_be_done_for_an_erased_customer(
    api: Api, organization: Organization
) -> None:
    meter, product = await ai_plan(api)
    customer = await jane(api, organization)
    credit = {"customerId": customer, "meterId": meter, "units": "1", "reason": "x"}
    await made(api, CREDIT, input=credit)
    [grant] = await CreditGrant.filter(organization_id=organization.id)
    session = await api.session("jane-4711")
    await erase(api, id=customer)

    assert await session.codes("{ viewer { id } }") == ["UNAUTHENTICATED"]
    [receipt] = (
        await api.get(
            "mutation ($id: ID!) { eventsIngest(input: {onInvalid: SKIP_INVALID, events: "
            '[{name: "ai", customerId: $id}]}) { receipts { status error { code } } } }',
            id=customer,
        )
    )["eventsIngest"]["receipts"]
    assert receipt == {"status": "REJECTED", "error": {"code": "NOT_FOUND"}}
    errors = "{ userErrors { code path } }"
    for mutation, sent in {
        "customerUpdate": {"id": customer, "name": "Jane"},
        "customerMeterCredit": credit,
        "creditGrantVoid": {"id": encode_id("CreditGrant", grant.id), "reason": "x"},
        "customerSessionCreate": {"customerId": customer},
        "customerSubscriptionCreate": {"customerId": customer, "productId": product["id"]},
        "usageAlertCreate": {
            "customerId": customer,
            "meterId": meter,
            "name": "x",
            "kind": "CONSUMED_UNITS",
            "threshold": "1",
        },
    }.items():
        type_name = mutation[0].upper() + mutation[1:] + "Input"
        query = f"mutation ($input: {type_name}!) {{ {mutation}(input: $input) {errors} }}"
        [error] = (await api.get(query, input=sent))[mutation]["userErrors"]
        path = ["customerId"] if "customerId" in sent else ["id"]
        assert error == {"code": "INVALID", "path": path}, mutation


async def test_the_external_id_belongs_to_another_customer_from_then_on(
    api: Api, organization: Organization
) -> None:
    customer, key = await jane(api, organization), await key_of(organization)
    await erase(api, id=customer)
    await erase_all(organization.id, key)
    again = await send(organization.id, {**EVENT, "externalId": "call-2"}, EVENT)
    await drain(organization.id)
    found = (await api.get('{ customer(externalId: "jane-4711") { id name erasedAt } }'))[
        "customer"
    ]
    assert found["id"] != customer
    assert (found["name"], found["erasedAt"]) == (None, None)
    # An event of the erased customer is not counted twice, and not taken for the same.
    assert [receipt.status for receipt in again] == ["INSERTED", "CONFLICT"]


async def test_erasing_again_changes_nothing(api: Api, organization: Organization) -> None:
    await listen(organization.id, "customer.erased")
    customer = await jane(api, organization)
    sent = {"externalCustomerId": "jane-4711", "idempotencyKey": "erase-1"}
    first = await erase(api, **sent)
    assert await erase(api, **sent) == first
    assert await erase(api, id=customer) == first
    assert await refused(api, ERASE, input={"externalCustomerId": "jane-4711"}) == [
        ("NOT_FOUND", "externalCustomerId")
    ]
    assert [type_ for type_, _id in await happened(organization.id)] == ["customer.erased"]
    assert await refused(api, ERASE, input={}) == [("INVALID", "")]


async def test_it_takes_an_administrator_of_the_organization(
    api: Api, other_api: Api, organization: Organization
) -> None:
    customer = await jane(api, organization)
    writer = await new_token(organization, Scope.BILLING_WRITE, Scope.EVENTS_WRITE)
    assert await api.with_secret(writer).codes(ERASE, input={"id": customer}) == ["FORBIDDEN"]
    assert await refused(other_api, ERASE, input={"id": customer}) == [("NOT_FOUND", "id")]
    assert await refused(other_api, ERASE, input={"externalCustomerId": "jane-4711"}) == [
        ("NOT_FOUND", "externalCustomerId")
    ]


async def test_a_new_meter_says_how_many_events_it_leaves_out(
    api: Api, organization: Organization
) -> None:
    await jane(api, organization)
    key = await key_of(organization)
    await send(organization.id, {"externalCustomerId": "other", "metadata": {"tokens": 1}})
    old, _product = await ai_plan(api)
    await catch_up_all(organization.id)
    await erase(api, externalCustomerId="jane-4711")
    await erase_all(organization.id, key)
    new = """mutation { meterCreate(input: {name: "Users", filter: {clauses: [{clause:
      {property: "user", operator: NOT_EQUALS, value: "x"}}]}, aggregation: {function: COUNT}})
      { meter { id } userErrors { message } } }"""
    meter = (await made(api, new))["id"]
    await catch_up_all(organization.id)
    progress = "query ($id: ID!) { meter(id: $id) { progress { countedEvents erasedEvents } } }"
    found = (await api.get(progress, id=meter))["meter"]["progress"]
    assert found == {"countedEvents": 1, "erasedEvents": 1}
    found = (await api.get(progress, id=old))["meter"]["progress"]
    assert found == {"countedEvents": 2, "erasedEvents": 0}
