"""Grants through the API: given, listed, voided, and who may do that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.outbox import happened, listen
from tests.resolvers.ai_plan import BENEFIT, CREDIT, INGEST, made, refused, subscribed
from tests.serving import new_token

GRANTS = """query ($at: DateTime) {
  customer(externalId: "acme") { meters { nodes { balance grants(activeAt: $at) { nodes {
    id units remaining priority effectiveAt expiresAt rollsOver reason voidedAt voidReason
    benefit { units } meter { unit } customer { externalId }
  } } } } }
}"""

VOID = """mutation ($id: ID!, $reason: String!) {
  creditGrantVoid(input: {id: $id, reason: $reason}) {
    grant { id remaining voidedAt voidReason } userErrors { code path message }
  }
}"""


def text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


async def grants_of(api: Api, at: datetime | None = None) -> list[dict[str, Any]]:
    found = await api.get(GRANTS, at=None if at is None else text(at))
    [meter] = found["customer"]["meters"]["nodes"]
    nodes: list[dict[str, Any]] = meter["grants"]["nodes"]
    return nodes


async def test_grants_are_given_listed_and_voided(api: Api, organization: Organization) -> None:
    meter, subscription = await subscribed(api, organization)
    await listen(organization.id)
    now = datetime.now(UTC)
    begins, ends = now + timedelta(days=40), now + timedelta(days=50)
    gift = {"externalCustomerId": "acme", "meterId": meter, "units": "7", "reason": "a promotion"}
    timed = {**gift, "effectiveAt": text(begins), "expiresAt": text(ends), "priority": 5}
    await made(api, CREDIT, input=timed)
    await made(api, CREDIT, input=gift)

    included, promotion, present = await grants_of(api)
    assert included["benefit"] == {"units": included["units"]} == {"units": "1000000"}
    assert (included["remaining"], included["rollsOver"]) == ("0", False)
    assert included["expiresAt"] == subscription["currentPeriodEnd"]
    assert (promotion["remaining"], promotion["priority"]) == ("7", 5)
    assert datetime.fromisoformat(promotion["effectiveAt"]) == begins
    assert datetime.fromisoformat(promotion["expiresAt"]) == ends
    assert (promotion["reason"], promotion["benefit"]) == ("a promotion", None)
    assert promotion["customer"] == {"externalId": "acme"}
    assert (present["expiresAt"], present["priority"], present["rollsOver"]) == (None, 50, True)
    assert [one["id"] for one in await grants_of(api, now)] == [included["id"], present["id"]]
    later = begins + timedelta(days=1)
    assert [one["id"] for one in await grants_of(api, later)] == [promotion["id"], present["id"]]
    assert [one["id"] for one in await grants_of(api, ends)] == [present["id"]]

    voided = await made(api, VOID, id=promotion["id"], reason="too late")
    assert (voided["remaining"], voided["voidReason"]) == ("0", "too late")
    assert [one["id"] for one in await grants_of(api, later)] == [present["id"]]
    assert await refused(api, VOID, id=promotion["id"], reason="again") == [("CONFLICT", "id")]
    # What was never credit is not told as such.
    types = [type_ for type_, _ in await happened(organization.id)]
    assert types == ["credit.granted", "credit.voided"]


async def test_what_is_wrong_with_a_grant_is_named(api: Api, organization: Organization) -> None:
    meter, _subscription = await subscribed(api, organization)
    gift = {"externalCustomerId": "acme", "meterId": meter, "units": "7", "reason": "x"}
    for wrong, field in (
        ({"effectiveAt": "2001-01-01T00:00:00Z"}, "effectiveAt"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"priority": -1}, "priority"),
        ({"units": "-1", "expiresAt": "2100-01-01T00:00:00Z"}, "expiresAt"),
    ):
        assert await refused(api, CREDIT, input={**gift, **wrong}) == [("INVALID", field)]
    assert await refused(api, VOID, id=meter, reason="") == [
        ("INVALID", "reason"),
        ("NOT_FOUND", "id"),
    ]
    benefit = {"description": "free", "meterId": meter, "units": "1"}
    for given, field in (
        ({"priority": 1_001}, "priority"),
        ({"expiresAfterDays": 0}, "expiresAfterDays"),
        ({"expiresAfterDays": 3_651}, "expiresAfterDays"),
        ({"rolloverLimit": "5"}, "rolloverLimit"),
        ({"rolloverLimit": "0", "rollover": True}, "rolloverLimit"),
    ):
        assert await refused(api, BENEFIT, input={**benefit, **given}) == [("INVALID", field)]


async def test_a_benefit_says_whether_its_units_are_for_each_quantity(
    api: Api, organization: Organization
) -> None:
    meter, _subscription = await subscribed(api, organization)
    given = {"description": "by seat", "meterId": meter, "units": "20", "priority": None}
    asked = (
        "query ($id: ID!) { node(id: $id) { ...on MeterCreditBenefit { perQuantity priority } } }"
    )
    for chosen, said in (({}, False), ({"perQuantity": True}, True)):
        benefit = await made(api, BENEFIT, input={**given, **chosen})
        found = (await api.get(asked, id=benefit["id"]))["node"]
        assert found == {"perQuantity": said, "priority": 50}


async def test_only_who_may_write_billing_voids(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    [grant] = await grants_of(api)
    scopes = (Scope.BILLING_READ, Scope.USAGE_READ)
    reader = api.with_secret(await new_token(organization, *scopes))
    assert await reader.codes(VOID, id=grant["id"], reason="mine") == ["FORBIDDEN"]
    assert [one["id"] for one in await grants_of(reader)] == [grant["id"]]
    counter = api.with_secret(await new_token(organization, Scope.USAGE_READ))
    assert set(await counter.codes(GRANTS, at=None)) == {"FORBIDDEN"}


async def test_a_customer_sees_its_own_grants(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    await drain(organization.id)
    [grant] = await grants_of(api)
    session = await api.session("acme")
    found = await session.get(
        "{ viewer { meters { nodes { grants { nodes { id units remaining expiresAt } } } } } }"
    )
    [meter] = found["viewer"]["meters"]["nodes"]
    assert [one["id"] for one in meter["grants"]["nodes"]] == [grant["id"]]
    assert await session.codes(VOID, id=grant["id"], reason="mine") == ["FORBIDDEN"]


USAGE = """query ($id: ID!, $first: Int) { node(id: $id) { ... on CreditGrant {
  units remaining usage(first: $first) { periodStart periodEnd units invoice { id } }
} } }"""


async def test_a_grant_tells_what_used_it(
    api: Api, other_api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    event = {"name": "ai_usage", "externalCustomerId": "acme", "metadata": {"tokens": 300}}
    await api.get(INGEST, events=[event])
    await drain(organization.id)
    [grant] = await grants_of(api)

    found = (await api.get(USAGE, id=grant["id"]))["node"]

    [used] = found["usage"]
    assert (used["periodStart"], used["periodEnd"], used["invoice"]) == (
        subscription["currentPeriodStart"],
        subscription["currentPeriodEnd"],
        None,
    )
    assert int(found["units"]) == int(found["remaining"]) + int(used["units"])
    session = await api.session("acme")
    own = await session.get(
        "{ viewer { meters { nodes { grants { nodes { usage { units } } } } } } }"
    )
    [meter] = own["viewer"]["meters"]["nodes"]
    assert meter["grants"]["nodes"] == [{"usage": [{"units": used["units"]}]}]
    assert (await other_api.get(USAGE, id=grant["id"]))["node"] is None
    for first in (0, 101):
        assert await api.codes(USAGE, id=grant["id"], first=first) == ["BAD_USER_INPUT"]
