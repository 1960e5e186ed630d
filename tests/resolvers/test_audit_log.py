"""The audit log: an entry for every change, in its transaction, that tells who made it."""

import asyncio
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config.settings import Settings
from metering.language.parameters import Parameters
from models import Organization
from schema.context import Scope
from schema.ids import decode_id
from schema.loaders.audit_log import audit_entries_source, history_source
from schema.loaders.keyset import PageRequest, bounds_of
from tests.browser import OWN, Browser
from tests.graphql_client import Api
from tests.postgres import connection_to
from tests.resolvers.ai_plan import CANCEL, CREDIT, SUBSCRIBE, ai_plan, made
from tests.resolvers.keyed_mutations import Caller
from tests.serving import new_token

ENTRIES = """
query ($object: ID, $first: Int, $after: String) {
  auditEntries(objectId: $object, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id at actorKind actor actorId action objectId input
      object { __typename id ... on Meter { name } ... on Customer { externalId } }
    }
  }
}
"""
ACTIONS = "query ($id: ID) { auditEntries(objectId: $id) { nodes { action } } }"
CUSTOMER = """
mutation ($input: CustomerCreateInput!) {
  customerCreate(input: $input) { customer { id } userErrors { code } }
}
"""
TOKEN = """
mutation ($input: AccessTokenCreateInput!) {
  accessTokenCreate(input: $input) { accessToken { id } secret userErrors { code } }
}
"""
METER = """
mutation ($name: String!) {
  meterCreate(input: {name: $name, filter: {}, aggregation: {function: COUNT}}) {
    meter { id } userErrors { code }
  }
}
"""


async def entries(api: Api, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await api.get(ENTRIES, **variables))["auditEntries"]["nodes"]
    return nodes


async def actions(api: Api, object_id: str | None = None) -> list[str]:
    """What was done to an object, latest first."""
    nodes = (await api.get(ACTIONS, id=object_id))["auditEntries"]["nodes"]
    return [node["action"] for node in nodes]


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
            "aggregation": {"function": "COUNT"},
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


async def test_no_secret_is_stored(
    api: Api, organization: Organization, database: BaseDBAsyncClient
) -> None:
    created = await api.get(TOKEN, input={"name": "ci", "scopes": ["USAGE_READ"]})
    secret = created["accessTokenCreate"]["secret"]
    session = (await api.session("acme")).secret
    revoke = """
    mutation ($token: String!) {
      customerSessionRevoke(input: {token: $token}) {
        revoked customer { externalId } userErrors { code }
      }
    }
    """
    revoked = (await api.get(revoke, token=session))["customerSessionRevoke"]
    assert revoked == {"revoked": 1, "customer": {"externalId": "acme"}, "userErrors": []}
    # A secret in the wrong place, too.
    await made(api, CUSTOMER, input={"externalId": "x", "name": f"key {secret}, as agreed"})
    [wrong, revoked_entry, *_] = await entries(api)
    assert wrong["input"]["name"] == "key [secret], as agreed"
    assert revoked_entry["input"] == {"token": "[secret]"}
    assert revoked_entry["object"]["externalId"] == "acme"
    rows = await database.execute_query_dict(
        "SELECT audit_entry::text AS row FROM audit_entry WHERE organization_id = $1",
        [organization.id],
    )
    stored = "".join(row["row"] for row in rows)
    assert len(rows) == 5
    for hidden in (secret, session, api.secret):
        assert hidden.removeprefix("mg_") not in stored


async def test_only_tokens_that_may_audit_read_it(api: Api, organization: Organization) -> None:
    meter = await made(api, METER, name="Tokens")
    [entry] = await entries(api)
    others = set(Scope) - {Scope.AUDIT_READ, Scope.ADMIN}
    holder = api.with_secret(await new_token(organization, *others))
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert await holder.codes(ACTIONS) == ["FORBIDDEN"]
    assert await holder.codes(node, id=entry["id"]) == ["FORBIDDEN"]
    session = await api.session("acme")
    assert await session.codes(ACTIONS) == ["FORBIDDEN"]
    auditor = api.with_secret(await new_token(organization, Scope.AUDIT_READ))
    [_, _, seen] = await entries(auditor)
    # It needs another scope to read the object itself.
    assert seen == {**entry, "object": None}
    assert seen["objectId"] == meter["id"]


@pytest.mark.parametrize("table", ["audit_entry", "audit_entry_object"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
async def test_entries_never_change(
    api: Api, settings: Settings, table: str, statement: str
) -> None:
    await made(api, METER, name="Tokens")
    async with connection_to(settings) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only takes new entries"):
            await connection.execute(statement.format(table))


async def test_an_entry_of_the_dashboard_says_so(api: Api, http: httpx.AsyncClient) -> None:
    """The browser acts for a token, whose name the entry has."""
    browser = Browser(http, OWN)
    await browser.sign_in(api.secret)
    await browser.post(
        'mutation { customerCreate(input: {externalId: "acme"}) { userErrors { code } } }'
    )
    me = (await api.get("{ me { accessToken { id name } } }"))["me"]["accessToken"]
    [entry] = await entries(api)
    who = (entry["actorKind"], entry["actor"], entry["actorId"])
    assert who == ("BROWSER", me["name"], me["id"])


async def test_a_history_is_read_by_an_index(
    api: Api, organization: Organization, settings: Settings
) -> None:
    """A page reads its own rows, also of an object with a history that is longer than a page."""
    customer = await made(api, CUSTOMER, input={"externalId": "acme"})
    async with connection_to(settings) as connection:
        # As long a history as no test can make by mutations.
        await connection.execute(
            """
            WITH entry AS (
                INSERT INTO audit_entry
                SELECT gen_random_uuid(), organization_id, at + number * interval '1 second',
                       actor_kind, actor, token_id, action, object_type, object_id, input
                FROM audit_entry CROSS JOIN generate_series(1, 3000) AS number
                WHERE organization_id = $1
                RETURNING *
            )
            INSERT INTO audit_entry_object
            SELECT organization_id, object_type, object_id, at, id FROM entry
            """,
            organization.id,
        )
        await connection.execute("ANALYZE audit_entry, audit_entry_object")
    key = decode_id(customer["id"], "Customer")
    assert key is not None
    for source in (
        audit_entries_source(organization.id),
        history_source(organization.id, ("Customer", key)),
    ):
        parameters = Parameters()
        statement = source.page_sql(bounds_of(source.keyset, PageRequest(3)), 3, parameters)
        async with in_transaction() as connection:
            await connection.execute_script("SET LOCAL plan_cache_mode = force_generic_plan")
            before = await _rows_read(connection)
            assert len(await connection.execute_query_dict(statement, parameters.values)) == 3
            assert await _rows_read(connection) - before <= 12


async def _rows_read(connection: BaseDBAsyncClient) -> int:
    """How many rows of the log this transaction has read."""
    (row,) = await connection.execute_query_dict(
        """
        SELECT sum(seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_xact_user_tables
        WHERE relname IN ('audit_entry', 'audit_entry_object')
        """
    )
    rows: int = row["rows"]
    return rows
