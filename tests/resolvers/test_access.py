"""Who may do what: tokens, scopes and sessions, and the error each gets."""

from datetime import timedelta

import pytest

from config import clock
from models import AccessToken, CustomerSession, Organization
from schema.context import Scope
from schema.credentials import LAST_USED_EVERY
from schema.secrets import hash_secret
from tests.graphql_client import Api
from tests.ingesting import send
from tests.serving import new_token

ME = "{ organization { slug } }"
SESSION = """
mutation ($input: CustomerSessionCreateInput!) {
  customerSessionCreate(input: $input) {
    token expiresAt customer { externalId } userErrors { code path }
  }
}
"""


async def test_a_token_sees_its_organization(api: Api, organization: Organization) -> None:
    assert await api.get(ME) == {"organization": {"slug": organization.slug}}


async def test_without_a_token_nothing_is_seen(api: Api) -> None:
    answer = await api.anonymous.ask(ME)
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "header",
    ["Bearer mg_unknown", "Bearer", "Basic dXNlcjpwdw==", "mg_unknown", "Bearer " + "x" * 500],
)
async def test_a_wrong_token_is_refused_at_once(api: Api, header: str) -> None:
    response = await api.anonymous.post({"query": ME}, authorization=header)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_revoked_token_is_refused(api: Api, organization: Organization) -> None:
    secret = await new_token(organization)
    assert await api.with_secret(secret).get(ME)
    await AccessToken.filter(secret_hash=hash_secret(secret)).update(revoked_at=clock.now())
    assert await api.with_secret(secret).codes(ME) == ["UNAUTHENTICATED"]


async def test_a_missing_scope_is_named(api: Api, organization: Organization) -> None:
    reader = api.with_secret(await new_token(organization, Scope.EVENTS_WRITE))
    answer = await reader.ask("{ events { totalCount } }")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "USAGE_READ" in answer["errors"][0]["message"]
    assert await reader.codes(ME) == []


async def test_every_scope_opens_its_fields_and_no_others(
    api: Api, organization: Organization
) -> None:
    fields = {
        Scope.USAGE_READ: "{ events { totalCount } }",
        Scope.BILLING_READ: "{ products { totalCount } }",
        Scope.METERS_WRITE: 'mutation { meterArchive(input: {id: "x"}) { userErrors { code } } }',
        Scope.EVENTS_WRITE: "mutation { eventsIngest(input: {events: []}) { inserted } }",
        Scope.BILLING_WRITE: "mutation { customerSessionCreate(input: {}) { token } }",
        Scope.ALERTS_READ: "{ usageAlerts { totalCount } }",
        Scope.ALERTS_WRITE: 'mutation { usageAlertDelete(input: {id: "x"}) { deletedId } }',
        Scope.ADMIN: 'mutation { accessTokenRevoke(input: {id: "x"}) { userErrors { code } } }',
    }
    for scope in Scope:
        holder = api.with_secret(await new_token(organization, scope))
        for needed, query in fields.items():
            expected = [] if scope in (needed, Scope.ADMIN) else ["FORBIDDEN"]
            assert await holder.codes(query) == expected, (scope, query)


async def test_when_a_token_was_last_used_is_noted_to_the_minute(
    api: Api, organization: Organization
) -> None:
    secret = await new_token(organization)
    await api.with_secret(secret).get(ME)
    first = (await AccessToken.get(secret_hash=hash_secret(secret))).last_used_at
    await api.with_secret(secret).get(ME)
    assert (await AccessToken.get(secret_hash=hash_secret(secret))).last_used_at == first
    assert first is not None
    with clock.at(first + LAST_USED_EVERY + timedelta(seconds=1)):
        await api.with_secret(secret).get(ME)
    last = (await AccessToken.get(secret_hash=hash_secret(secret))).last_used_at
    assert last == first + LAST_USED_EVERY + timedelta(seconds=1)


async def test_a_token_is_created_used_and_revoked(api: Api) -> None:
    created = await api.get(
        'mutation { accessTokenCreate(input: {name: "ci", scopes: [USAGE_READ, USAGE_READ]}) {'
        " accessToken { id name scopes lastUsedAt revokedAt } secret userErrors { code } } }"
    )
    payload = created["accessTokenCreate"]
    assert payload["accessToken"]["scopes"] == ["USAGE_READ"]
    assert payload["secret"].startswith("mg_")
    assert not await AccessToken.exists(secret_hash=payload["secret"].encode())
    bearer = api.with_secret(payload["secret"])
    assert await bearer.codes("{ events { totalCount } }") == []
    revoke = "mutation ($id: ID!) { accessTokenRevoke(input: {id: $id}) {"
    revoke += " accessToken { id revokedAt } userErrors { code path } } }"
    revoked = await api.get(revoke, id=payload["accessToken"]["id"])
    assert revoked["accessTokenRevoke"]["accessToken"]["revokedAt"] is not None
    assert await bearer.codes("{ events { totalCount } }") == ["UNAUTHENTICATED"]
    again = await api.get(revoke, id=payload["accessToken"]["id"])
    assert again == revoked


@pytest.mark.parametrize(
    ("name", "scopes", "code", "path"),
    [
        ("", ["ADMIN"], "INVALID", ["name"]),
        ("x" * 257, ["ADMIN"], "LIMIT_EXCEEDED", ["name"]),
        ("ok", [], "INVALID", ["scopes"]),
    ],
)
async def test_a_token_needs_a_name_and_scopes(
    api: Api, name: str, scopes: list[str], code: str, path: list[str]
) -> None:
    answer = await api.get(
        "mutation ($input: AccessTokenCreateInput!) { accessTokenCreate(input: $input) {"
        " accessToken { id } secret userErrors { code path } } }",
        input={"name": name, "scopes": scopes},
    )
    assert answer["accessTokenCreate"] == {
        "accessToken": None,
        "secret": None,
        "userErrors": [{"code": code, "path": path}],
    }


async def test_a_session_sees_its_customer_and_nothing_else(
    api: Api, organization: Organization
) -> None:
    await send(organization.id, {"externalCustomerId": "c1"}, {"externalCustomerId": "c2"})
    opened = (await api.get(SESSION, input={"externalCustomerId": "c1"}))["customerSessionCreate"]
    assert opened["customer"] == {"externalId": "c1"}
    session = api.with_secret(opened["token"])
    viewer = await session.get(
        "{ viewer { externalId events { totalCount nodes { customer { externalId } } } } }"
    )
    assert viewer["viewer"] == {
        "externalId": "c1",
        "events": {"totalCount": 1, "nodes": [{"customer": {"externalId": "c1"}}]},
    }


async def test_a_session_ends_after_an_hour(api: Api) -> None:
    session = await api.session("c1")
    assert await session.codes("{ viewer { id } }") == []
    found = await CustomerSession.get(secret_hash=hash_secret(session.secret))
    assert timedelta(minutes=59) < found.expires_at - found.created_at <= timedelta(minutes=61)
    with clock.at(found.expires_at):
        assert await session.codes("{ viewer { id } }") == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, {"code": "INVALID", "path": []}),
        ({"customerId": "x", "externalCustomerId": "x"}, {"code": "INVALID", "path": []}),
        ({"customerId": "x"}, {"code": "NOT_FOUND", "path": ["customerId"]}),
        ({"externalCustomerId": "\0"}, {"code": "NOT_FOUND", "path": ["externalCustomerId"]}),
    ],
)
async def test_a_session_needs_one_customer(
    api: Api, sent: dict[str, str], error: dict[str, object]
) -> None:
    answer = (await api.get(SESSION, input=sent))["customerSessionCreate"]
    assert answer["userErrors"] == [error]
    assert answer["token"] is answer["customer"] is None


async def test_a_session_asks_for_its_own_usage_only(api: Api, organization: Organization) -> None:
    await send(organization.id, {"externalCustomerId": "c1"}, {"externalCustomerId": "c2"})
    created = await api.get(
        'mutation { meterCreate(input: {name: "m", filter: {}, aggregation: {function: COUNT}}) {'
        " meter { id } } }"
    )
    assert created["meterCreate"]["meter"]
    session = await api.session("c1")
    series = 'quantities(start: "2026-03-01T00:00:00Z", end: "2026-03-02T00:00:00Z", interval: DAY'
    own = "{ viewer { events(first: 1) { nodes { meters { %s ) { total } } } } } }"
    assert await session.codes(own % series) == []
    foreign = own % (series + ', externalCustomerId: "c2"')
    assert await session.codes(foreign) == ["NOT_FOUND"]
    for field in (
        "customers { totalCount }",
        "events { totalCount }",
        "progress { countedEvents }",
    ):
        query = "{ viewer { events(first: 1) { nodes { meters { " + field + " } } } } }"
        assert await session.codes(query) == ["FORBIDDEN"], field
