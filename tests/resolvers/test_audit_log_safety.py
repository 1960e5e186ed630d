"""The audit log holds no secret, is read by few, and never changes."""

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
from tests.resolvers.ai_plan import made
from tests.resolvers.auditing import ACTIONS, CUSTOMER, METER, TOKEN, entries
from tests.serving import new_token


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
