"""What an organization's pages show of it, who asks, and the list of benefits."""

from typing import Any

import pytest

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import ai_plan
from tests.serving import new_token

UPDATE = """mutation ($input: OrganizationUpdateInput!) { organizationUpdate(input: $input) {
  organization { name displayName timezone address logoUrl } userErrors { code path message } } }"""
ME = """{ me {
  organization { slug displayName } accessToken { scopes lastUsedAt } customer { externalId }
  scopes
} }"""
BENEFITS = """query ($first: Int, $after: String, $query: String) {
  benefits(first: $first, after: $after, query: $query) {
  totalCount pageInfo { hasNextPage endCursor } nodes { id description meter { name } } } }"""


async def update(api: Api, **changes: Any) -> Any:
    return (await api.get(UPDATE, input=changes))["organizationUpdate"]


async def test_settings_are_changed_one_by_one_and_taken_away_by_null(
    api: Api, other_api: Api
) -> None:
    unset = {
        "name": "Test",
        "displayName": "Test",
        "timezone": "UTC",
        "address": None,
        "logoUrl": None,
    }
    assert (await update(api))["organization"] == unset
    chosen = {
        "displayName": "Søren & Co.",
        "timezone": "Asia/Kathmandu",
        "address": "1 Example Street\nSpringfield",
        "logoUrl": "https://cdn.example:8443/logo.svg?v=2",
    }
    for name, value in chosen.items():
        assert (await update(api, **{name: value}))["organization"][name] == value
    read = await api.get("{ organization { name displayName timezone address logoUrl } }")
    assert read["organization"] == {"name": "Test", **chosen}
    assert (await update(other_api))["organization"]["displayName"] == "Other"
    assert (await update(api, **dict.fromkeys(chosen)))["organization"] == unset


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("displayName", ""),
        ("displayName", "x" * 257),
        ("displayName", "a\0b"),
        ("address", "x" * 1_001),
        ("timezone", "Mars/Olympus"),
        ("timezone", "localtime"),
        ("timezone", "UTC\0"),
        ("timezone", ""),
        ("logoUrl", "http://example.com/logo.svg"),
        ("logoUrl", "javascript:alert(1)"),
        ("logoUrl", "data:image/png;base64,AAAA"),
        ("logoUrl", "//example.com/logo.svg"),
        ("logoUrl", "https://"),
        ("logoUrl", "https://user:password@example.com/logo.svg"),
        ("logoUrl", "https://example.com:port/logo.svg"),
        ("logoUrl", "https://[/logo.svg"),
        ("logoUrl", "https://example.com/a\nb"),
        ("logoUrl", "https://example.com/a b"),
        ("logoUrl", "https://good.example\\@evil.example/"),
        ("logoUrl", "https://example.com/" + "x" * 2_048),
    ],
)
async def test_a_setting_that_nobody_could_use_is_refused(api: Api, field: str, value: str) -> None:
    is_long = len(value) > 256
    refused = await update(api, **{"displayName": "Kept out", field: value})
    assert refused["organization"] is None
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [
        ("LIMIT_EXCEEDED" if is_long else "INVALID", [field])
    ]
    read = await api.get("{ organization { displayName timezone address logoUrl } }")
    assert read["organization"] == {
        "displayName": "Test",
        "timezone": "UTC",
        "address": None,
        "logoUrl": None,
    }


async def test_settings_are_an_administrator_s(api: Api, organization: Organization) -> None:
    for scope in set(Scope) - {Scope.ADMIN}:
        other = api.with_secret(await new_token(organization, scope))
        assert await other.codes(UPDATE, input={"displayName": "x"}) == ["FORBIDDEN"], scope
    assert (await update(api))["organization"]["displayName"] == "Test"


async def test_a_token_learns_what_it_may_do(api: Api, organization: Organization) -> None:
    secret = await new_token(organization, Scope.USAGE_READ, Scope.BILLING_READ)
    me = (await api.with_secret(secret).get(ME))["me"]
    assert me["accessToken"].pop("lastUsedAt") is not None
    assert me == {
        "organization": {"slug": organization.slug, "displayName": "Test"},
        "accessToken": {"scopes": ["USAGE_READ", "BILLING_READ"]},
        "customer": None,
        "scopes": ["USAGE_READ", "BILLING_READ"],
    }
    assert await api.anonymous.codes(ME) == ["UNAUTHENTICATED"]


async def test_a_session_learns_whose_customer_it_is_and_nothing_of_the_organization_s_tokens(
    api: Api, organization: Organization
) -> None:
    opened = await api.get(
        'mutation { customerCreate(input: {externalId: "c1"}) { userErrors { code } }'
        ' customerSessionCreate(input: {externalCustomerId: "c1"}) { token } }'
    )
    session = api.with_secret(opened["customerSessionCreate"]["token"])
    assert (await session.get(ME))["me"] == {
        "organization": {"slug": organization.slug, "displayName": "Test"},
        "accessToken": None,
        "customer": {"externalId": "c1"},
        "scopes": [],
    }
    tokens = "{ me { organization { accessTokens { name } } } }"
    assert await session.codes(tokens) == ["FORBIDDEN"]


async def test_benefits_are_listed_by_pages_to_who_reads_billing(
    api: Api, other_api: Api, organization: Organization
) -> None:
    meter, _product = await ai_plan(api)
    created = await api.get(
        "mutation ($meter: ID!) { meterCreditBenefitCreate("
        'input: {description: "Second", meterId: $meter, units: "5"}) { benefit { id } } }',
        meter=meter,
    )
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    first = (await reader.get(BENEFITS, first=1))["benefits"]
    assert first["totalCount"] == 2
    assert first["pageInfo"]["hasNextPage"] is True
    last = (await reader.get(BENEFITS, first=1, after=first["pageInfo"]["endCursor"]))["benefits"]
    assert last["pageInfo"]["hasNextPage"] is False
    [second] = last["nodes"]
    assert second["id"] == created["meterCreditBenefitCreate"]["benefit"]["id"]
    assert second["description"] == "Second"
    assert first["nodes"][0]["id"] != second["id"]
    found = (await reader.get(BENEFITS, query="SECO"))["benefits"]
    assert [benefit["description"] for benefit in found["nodes"]] == ["Second"]
    assert (await reader.get(BENEFITS, query="%"))["benefits"]["totalCount"] == 0
    assert (await other_api.get(BENEFITS))["benefits"]["nodes"] == []
    usage = api.with_secret(await new_token(organization, Scope.USAGE_READ))
    assert await usage.codes(BENEFITS) == ["FORBIDDEN"]
