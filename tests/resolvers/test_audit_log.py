"""The audit log: an entry for every change, in its transaction, that tells who made it."""

import asyncio
from datetime import datetime

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.graphql_client import Api
from tests.resolvers.ai_plan import CANCEL, CREDIT, SUBSCRIBE, ai_plan, made
from tests.resolvers.auditing import CUSTOMER, ENTRIES, METER, actions, entries
from tests.resolvers.keyed_mutations import Caller


async def test_an_entry_says_who_did_what_to_what_and_when(
    api: Api, database: BaseDBAsyncClient
) -> None:
    [before] = await database.execute_query_dict("SELECT clock_timestamp() AS at")
    meter = await made(api, METER, name="Tokens")
    me = (await api.get("{ me { accessToken { id name } } }"))["me"]["accessToken"]
    [entry] = await entries(api)
    assert entry["id"]
    [after] = await database.execute_query_dict("SELECT clock_timestamp() AS at")
    assert before["at"] < datetime.fromisoformat(entry["at"]) < after["at"]
    del entry["id"], entry["at"]
    assert entry == {
        "actorKind": "TOKEN",
        "actor": me["name"],
        "actorId": me["id"],
        "action": "meterCreate",
        "objectId": meter["id"],
        "object": {"__typename": "Meter", "id": meter["id"], "name": "Tokens"},
        "input": {
            "name": "Tokens",
            "filter": {"conjunction": "AND", "clauses": []},
            "aggregation": {"function": "COUNT", "carriesOver": False},
        },
    }


async def test_input_is_shown_as_it_was_sent(api: Api) -> None:
    """Without defaults, with null where it removes something, and numbers with every digit."""
    meter, product = await ai_plan(api)
    customer = await made(api, CUSTOMER, input={"externalId": "acme", "email": "a@acme.example"})
    update = """
    mutation ($input: CustomerUpdateInput!) {
      customerUpdate(input: $input) { customer { id } userErrors { code } }
    }
    """
    await made(api, update, input={"id": customer["id"], "email": None})
    sent = {"externalCustomerId": "acme", "meterId": meter, "units": "0.10", "reason": "gift"}
    await made(api, CREDIT, input=sent)
    began = "2026-01-31T12:00:00+01:00"
    await made(
        api,
        SUBSCRIBE,
        input={"customerId": customer["id"], "productId": product["id"], "startedAt": began},
    )
    subscribed, credited, updated, created = (await entries(api))[:4]
    assert subscribed["input"]["startedAt"] == "2026-01-31T11:00:00Z"
    assert credited["input"] == {**sent, "units": "0.1"}
    assert updated["input"] == {"id": customer["id"], "email": None}
    assert created["input"] == {"externalId": "acme", "email": "a@acme.example"}


async def test_the_history_of_a_customer_has_what_belongs_to_it(api: Api) -> None:
    meter, product = await ai_plan(api)
    customer = await made(api, CUSTOMER, input={"externalId": "acme"})
    await made(api, CUSTOMER, input={"externalId": "globex"})
    subscription = await made(
        api, SUBSCRIBE, input={"customerId": customer["id"], "productId": product["id"]}
    )
    credit = {"customerId": customer["id"], "meterId": meter, "units": "1", "reason": "x"}
    await made(api, CREDIT, input=credit)
    await made(api, CANCEL, id=subscription["id"], when="NOW")
    await api.session("acme")
    assert await actions(api, customer["id"]) == [
        "customerSessionCreate",
        "customerCreate",
        "customerSubscriptionCancel",
        "customerMeterCredit",
        "customerSubscriptionCreate",
        "customerCreate",
    ]
    assert await actions(api, subscription["id"]) == [
        "customerSubscriptionCancel",
        "customerSubscriptionCreate",
    ]
    assert await actions(api, product["id"]) == ["productCreate"]
    assert await actions(api, meter) == ["meterCreate"]
    assert await actions(api, "nonsense") == []


async def test_pages_go_from_the_latest_entry_on(api: Api) -> None:
    for number in range(5):
        await made(api, METER, name=f"m{number}")
    names, after = [], None
    while True:
        page = (await api.get(ENTRIES, first=2, after=after))["auditEntries"]
        assert page["totalCount"] == 5
        names += [node["object"]["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert names == ["m4", "m3", "m2", "m1", "m0"]
    first = (await entries(api))[-1]["objectId"]
    page = (await api.get(ENTRIES, object=first, first=1))["auditEntries"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (1, False)


async def test_what_is_refused_leaves_no_entry(api: Api) -> None:
    await api.get(CUSTOMER, input={"externalId": ""})
    await made(api, CUSTOMER, input={"externalId": "acme", "name": "Acme"})
    again = await api.get(CUSTOMER, input={"externalId": "acme"})
    assert again["customerCreate"]["userErrors"] == [{"code": "ALREADY_EXISTS"}]
    assert await actions(api) == ["customerCreate"]


async def test_events_leave_no_entry(api: Api) -> None:
    await api.get(
        'mutation { eventsIngest(input: {events: [{name: "x", externalCustomerId: "c"}]})'
        " { inserted } }"
    )
    assert await actions(api) == []


async def test_a_repeat_leaves_no_second_entry(caller: Caller) -> None:
    before = await actions(caller.api)
    answers = await asyncio.gather(*(caller.call("customerMeterCredit") for _ in range(4)))
    assert len({str(answer) for answer in answers}) == 1
    assert await actions(caller.api) == ["customerMeterCredit", *before]


async def test_there_is_no_change_without_its_entry(
    api: Api, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps the entry from being written takes the change back."""

    async def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("resolvers.mutating.write_entry", broken)
        assert await api.codes(CUSTOMER, input={"externalId": "acme"}) == ["INTERNAL"]
        keyed = {"externalId": "acme", "idempotencyKey": "k"}
        assert await api.codes(CUSTOMER, input=keyed) == ["INTERNAL"]
        assert await api.codes(METER, name="Tokens") == ["INTERNAL"]
    found = await api.get("{ customers { totalCount } meters { totalCount } }")
    assert found == {"customers": {"totalCount": 0}, "meters": {"totalCount": 0}}
