"""Customers' sessions end when they are revoked or expire, and with the token that opened them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette

from config import clock
from models import AccessToken, CustomerSession, Organization
from schema.context import Scope
from schema.secrets import hash_secret
from tests.graphql_client import Api
from tests.ingesting import send
from tests.serving import new_token
from tests.websocket_client import connected
from transport import websocket

CREATE = """mutation ($input: AccessTokenCreateInput!) { accessTokenCreate(input: $input) {
  accessToken { id expiresAt } secret userErrors { code path } } }"""
OPEN = """mutation ($customer: String!) {
  customerSessionCreate(input: {externalCustomerId: $customer}) { token expiresAt } }"""
REVOKE = """mutation ($input: CustomerSessionRevokeInput!) { customerSessionRevoke(input: $input) {
  revoked userErrors { code path } } }"""
VIEWER = "{ viewer { externalId } }"


@pytest.fixture(autouse=True)
async def _customers(organization: Organization, other_organization: Organization) -> None:
    for owner in (organization, other_organization):
        await send(owner.id, {"externalCustomerId": "c1"}, {"externalCustomerId": "c2"})


async def opened(api: Api, customer: str = "c1") -> str:
    return (await api.session(customer)).secret


async def is_open(api: Api, session: str) -> bool:
    codes = await api.with_secret(session).codes(VIEWER)
    assert codes in ([], ["UNAUTHENTICATED"])
    return not codes


async def revoke(api: Api, **named: str) -> int:
    payload = (await api.get(REVOKE, input=named))["customerSessionRevoke"]
    assert payload["userErrors"] == []
    number: int = payload["revoked"]
    return number


async def test_the_sessions_of_a_customer_are_revoked_and_no_others(
    api: Api, other_api: Api
) -> None:
    ours = [await opened(api), await opened(api)]
    others = [await opened(api, "c2"), await opened(other_api)]
    assert await revoke(api, externalCustomerId="c1") == 2
    assert [await is_open(api, session) for session in ours] == [False, False]
    assert [await is_open(api, session) for session in others] == [True, True]
    assert await revoke(api, externalCustomerId="c1") == 0
    # New ones can be opened.
    assert await is_open(api, await opened(api))
    customer = (await api.get('{ customer(externalId: "c1") { id } }'))["customer"]["id"]
    assert await revoke(api, customerId=customer) == 1


async def test_one_session_is_revoked_by_its_token(api: Api, other_api: Api) -> None:
    one, another = await opened(api), await opened(api)
    assert await revoke(other_api, token=one) == 0
    assert await is_open(api, one)
    assert await revoke(api, token=one) == 1
    assert not await is_open(api, one)
    assert await is_open(api, another)
    for token in (one, "", "mg_session_nobody", "x" * 1_000, "\0", "é"):
        assert await revoke(api, token=token) == 0


async def test_a_session_that_has_expired_is_not_counted(api: Api) -> None:
    session = await CustomerSession.get(secret_hash=hash_secret(await opened(api)))
    with clock.at(session.expires_at):
        assert await revoke(api, externalCustomerId="c1") == 0


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, ("INVALID", [])),
        ({"externalCustomerId": "c1", "token": "x"}, ("INVALID", [])),
        ({"customerId": "x", "externalCustomerId": "c1", "token": "x"}, ("INVALID", [])),
        ({"customerId": "x"}, ("NOT_FOUND", ["customerId"])),
        ({"externalCustomerId": "nobody"}, ("NOT_FOUND", ["externalCustomerId"])),
    ],
)
async def test_exactly_one_thing_is_named_to_be_revoked(
    api: Api, sent: dict[str, str], error: tuple[str, list[str]]
) -> None:
    session = await opened(api)
    payload = (await api.get(REVOKE, input=sent))["customerSessionRevoke"]
    assert payload["revoked"] == 0
    assert [(one["code"], one["path"]) for one in payload["userErrors"]] == [error]
    assert await is_open(api, session)


async def test_revoking_sessions_needs_the_scope_that_opens_them(
    api: Api, organization: Organization
) -> None:
    session = await opened(api)
    for scope in (Scope.BILLING_READ, Scope.EVENTS_WRITE, Scope.METERS_WRITE, Scope.USAGE_READ):
        other = api.with_secret(await new_token(organization, scope))
        assert await other.codes(REVOKE, input={"token": session}) == ["FORBIDDEN"]
    own = api.with_secret(session)
    assert await own.codes(REVOKE, input={"token": session}) == ["FORBIDDEN"]
    assert await is_open(api, session)


async def test_sessions_end_when_the_token_that_opened_them_is_revoked(api: Api) -> None:
    made = (await api.get(CREATE, input={"name": "backend", "scopes": ["BILLING_WRITE"]}))[
        "accessTokenCreate"
    ]
    assert made["accessToken"]["expiresAt"] is None
    session = await opened(api.with_secret(made["secret"]))
    another = await opened(api)
    assert await is_open(api, session)
    await api.get(
        "mutation ($id: ID!) { accessTokenRevoke(input: {id: $id}) { accessToken { id } } }",
        id=made["accessToken"]["id"],
    )
    assert not await is_open(api, session)
    assert await is_open(api, another)


async def expiring(api: Api, at: datetime) -> dict[str, Any]:
    created = await api.get(
        CREATE,
        input={"name": "soon", "scopes": ["BILLING_WRITE"], "expiresAt": at.isoformat()},
    )
    payload: dict[str, Any] = created["accessTokenCreate"]
    return payload


async def test_a_token_expires_and_its_sessions_with_it(
    api: Api, organization: Organization
) -> None:
    now = clock.now()
    soon = now + timedelta(minutes=10)
    made = await expiring(api, soon)
    assert datetime.fromisoformat(made["accessToken"]["expiresAt"]) == soon
    token = api.with_secret(made["secret"])
    answer = (await token.get(OPEN, customer="c1"))["customerSessionCreate"]
    assert datetime.fromisoformat(answer["expiresAt"]) == soon
    with clock.at(soon - timedelta(seconds=1)):
        assert await token.codes("{ organization { slug } }") == []
        assert await is_open(api, answer["token"])
    with clock.at(soon):
        assert await token.codes("{ organization { slug } }") == ["UNAUTHENTICATED"]
        assert not await is_open(api, answer["token"])
    # An hour is the most for sessions of any token.
    late = api.with_secret((await expiring(api, now + timedelta(days=1)))["secret"])
    answer = (await late.get(OPEN, customer="c1"))["customerSessionCreate"]
    assert datetime.fromisoformat(answer["expiresAt"]) < now + timedelta(hours=2)
    # A token whose end is moved up takes its sessions along.
    await (
        AccessToken.filter(organization_id=organization.id)
        .exclude(expires_at=None)
        .update(expires_at=now)
    )
    assert not await is_open(api, answer["token"])


async def test_a_token_cannot_expire_in_the_past(api: Api) -> None:
    with clock.at(clock.now()):
        made = await expiring(api, clock.now())
    assert made == {
        "accessToken": None,
        "secret": None,
        "userErrors": [{"code": "INVALID", "path": ["expiresAt"]}],
    }


@pytest.mark.parametrize("how", ["session", "token", "expiry"])
async def test_open_sockets_of_a_session_close_when_it_ends(
    api: Api,
    application: Starlette,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(websocket, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    backend = await new_token(organization, Scope.BILLING_WRITE)
    session = await opened(api.with_secret(backend))
    async with connected(application, session) as socket:
        await socket.subscribe("subscription { usageUpdated { cursor } }", "live")
        tokens = AccessToken.filter(secret_hash=hash_secret(backend))
        if how == "session":
            assert await revoke(api, externalCustomerId="c1") == 1
        elif how == "token":
            await tokens.update(revoked_at=clock.now())
        else:
            await tokens.update(expires_at=clock.now())
        async with asyncio.timeout(60):
            assert await socket.close_code() == 4403
