"""Trials, changes and their previews through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import PRODUCT, SUBSCRIBE, made, refused, subscribed
from tests.serving import new_token

SHOWN = """
  id status quantity trialEndsAt cancelAtPeriodEnd currentPeriodEnd
  product { name } pendingChange { product { name } quantity at }
"""
CHANGE = f"""
mutation ($input: CustomerSubscriptionChangeInput!) {{
  customerSubscriptionChange(input: $input) {{
    subscription {{ {SHOWN} }}
    invoice {{ total lines {{ kind description amount consumedUnits periodStart periodEnd }} }}
    userErrors {{ code message path }}
  }}
}}
"""
PREVIEW = """
query ($input: CustomerSubscriptionChangeInput!) {
  subscriptionChangePreview(input: $input) {
    lines { kind description amount consumedUnits periodStart periodEnd }
    total currency nextPeriodEnd creditChanges { meter { name } units }
  }
}
"""
DROP = f"""
mutation ($id: ID!) {{
  customerSubscriptionChangeCancel(input: {{id: $id}}) {{
    subscription {{ {SHOWN} }} userErrors {{ code path }}
  }}
}}
"""
RESUME = f"""
mutation ($id: ID!) {{
  customerSubscriptionResume(input: {{id: $id}}) {{
    subscription {{ {SHOWN} }} userErrors {{ code path }}
  }}
}}
"""
CANCEL = f"""
mutation ($input: CustomerSubscriptionCancelInput!) {{
  customerSubscriptionCancel(input: $input) {{
    subscription {{ {SHOWN} }} userErrors {{ code path }}
  }}
}}
"""


async def scale(api: Api, **changes: Any) -> str:
    prices = [{"fixed": {"currency": "USD", "amount": 5000}}]
    sent = {"name": "Scale", "recurringInterval": "MONTH", "prices": prices, **changes}
    product_id: str = (await made(api, PRODUCT, input=sent))["id"]
    return product_id


async def test_a_change_is_previewed_and_made(api: Api, organization: Organization) -> None:
    _meter, subscription = await subscribed(api, organization)
    sent = {"id": subscription["id"], "productId": await scale(api), "quantity": 2}
    before = (await api.get(PREVIEW, input=sent))["subscriptionChangePreview"]
    assert [line["kind"] for line in before["lines"]] == ["METERED", "PRORATION", "PRORATION"]
    assert before["lines"][0]["consumedUnits"] == "1150000"
    # All its credit is used: there is nothing to take back.
    assert before["creditChanges"] == []
    assert before["total"] == sum(line["amount"] for line in before["lines"])
    answer = (await api.get(CHANGE, input={**sent, "idempotencyKey": "a"}))[
        "customerSubscriptionChange"
    ]
    assert answer["userErrors"] == []
    changed, invoice = answer["subscription"], answer["invoice"]
    assert (changed["product"]["name"], changed["quantity"]) == ("Scale", 2)
    assert changed["currentPeriodEnd"] == before["nextPeriodEnd"]
    assert [line["description"] for line in invoice["lines"]] == [
        line["description"] for line in before["lines"]
    ]
    # Some seconds have passed, of a month.
    assert abs(invoice["total"] - before["total"]) <= 2
    again = (await api.get(CHANGE, input={**sent, "idempotencyKey": "a"}))[
        "customerSubscriptionChange"
    ]
    assert again == answer


async def test_a_change_at_the_periods_end_is_shown_and_dropped(
    api: Api, organization: Organization
) -> None:
    meter, subscription = await subscribed(api, organization)
    key = subscription["id"]
    sent = {"id": key, "productId": await scale(api), "quantity": 2, "when": "PERIOD_END"}
    preview = (await api.get(PREVIEW, input=sent))["subscriptionChangePreview"]
    assert [(line["kind"], line["amount"]) for line in preview["lines"]] == [
        ("METERED", 80),
        ("FIXED", 10000),
    ]
    pending = (await made(api, CHANGE, input=sent))["pendingChange"]
    assert pending == {
        "product": {"name": "Scale"},
        "quantity": 2,
        "at": subscription["currentPeriodEnd"],
    }
    more = {"id": key, "quantity": 7, "when": "PERIOD_END"}
    assert (await made(api, CHANGE, input=more))["pendingChange"]["quantity"] == 7
    for _ in range(2):
        assert (await made(api, DROP, id=key))["pendingChange"] is None
    await made(api, CANCEL, input={"id": key})
    for _ in range(2):
        assert not (await made(api, RESUME, id=key))["cancelAtPeriodEnd"]
    assert meter


async def test_a_trial_and_a_scheduled_start(api: Api, organization: Organization) -> None:
    _meter, _subscription = await subscribed(api, organization)
    product = await scale(api, trialDays=14)
    start = datetime.now(UTC) + timedelta(days=10)
    common = {"externalCustomerId": "acme", "productId": product}
    trial = await made(api, SUBSCRIBE, input={**common, "quantity": 3})
    assert trial["status"] == "TRIALING"
    later = await made(api, SUBSCRIBE, input={**common, "startedAt": start.isoformat()})
    assert (later["status"], later["currentPeriodStart"]) == ("SCHEDULED", later["startedAt"])
    for status in ("TRIALING", "SCHEDULED"):
        listed = await api.get(
            "query ($status: CustomerSubscriptionStatus!) { subscriptions(status: $status) {"
            " nodes { quantity product { trialDays } } } }",
            status=status,
        )
        assert [one["product"]["trialDays"] for one in listed["subscriptions"]["nodes"]] == [14]
    for days in (0, -1, 731):
        prices = [{"fixed": {"currency": "USD", "amount": 5}}]
        sent = {"name": "x", "recurringInterval": "MONTH", "prices": prices, "trialDays": days}
        assert await refused(api, PRODUCT, input=sent) == [("INVALID", "trialDays")]
    end = datetime.now(UTC) + timedelta(days=3)
    for wrong in (
        {"trialDays": -1},
        {"trialDays": 731},
        {"trialDays": 3, "trialEndsAt": end.isoformat()},
    ):
        assert await refused(api, SUBSCRIBE, input={**common, **wrong}) == [
            ("INVALID", "trialDays")
        ]
    days = await made(api, SUBSCRIBE, input={**common, "trialDays": 3})
    start, end = (datetime.fromisoformat(days[f"currentPeriod{each}"]) for each in ("Start", "End"))
    assert end - start == timedelta(days=3)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"id": "x", "quantity": 2}, "NOT_FOUND", "id"),
        ({"productId": "x"}, "NOT_FOUND", "productId"),
        ({}, "INVALID", "productId"),
        ({"quantity": 0}, "INVALID", "quantity"),
        ({"quantity": 2_000_000}, "LIMIT_EXCEEDED", "quantity"),
    ],
)
async def test_changes_that_are_refused(
    api: Api, organization: Organization, changes: dict[str, Any], code: str, path: str
) -> None:
    _meter, subscription = await subscribed(api, organization)
    sent = {"id": subscription["id"], **changes}
    assert await refused(api, CHANGE, input=sent) == [(code, path)]
    answer = await api.ask(PREVIEW, input=sent)
    [error] = answer["errors"]
    expected = "NOT_FOUND" if code == "NOT_FOUND" else "BAD_USER_INPUT"
    assert error["extensions"]["code"] == expected
    assert error["extensions"]["path"] == [path]


async def test_who_may_change_and_who_may_look(api: Api, organization: Organization) -> None:
    _meter, subscription = await subscribed(api, organization)
    sent = {"id": subscription["id"], "quantity": 2}
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    assert await reader.codes(PREVIEW, input=sent) == []
    for document, variables in (
        (CHANGE, {"input": sent}),
        (DROP, {"id": sent["id"]}),
        (RESUME, {"id": sent["id"]}),
    ):
        assert await reader.codes(document, **variables) == ["FORBIDDEN"]
    counter = api.with_secret(await new_token(organization, Scope.USAGE_READ))
    assert await counter.codes(PREVIEW, input=sent) == ["FORBIDDEN"]
