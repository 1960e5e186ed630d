"""Products by several intervals, by the calendar and with usage intervals, through the API."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.graphql_client import Api
from tests.resolvers.ai_plan import made, refused

CREATE = """
mutation ($input: ProductCreateInput!) {
  productCreate(input: $input) {
    product {
      id recurringInterval intervalCount billingPeriods usageInterval usageIntervalCount
    }
    userErrors { code path message }
  }
}
"""
SUBSCRIBE = """
mutation ($input: CustomerSubscriptionCreateInput!) {
  customerSubscriptionCreate(input: $input) {
    subscription { id currentPeriodStart currentPeriodEnd usagePeriodStart usagePeriodEnd }
    userErrors { code path message }
  }
}
"""


def product(**changes: Any) -> dict[str, Any]:
    price = {"fixed": {"currency": "USD", "amount": 3100}}
    return {"name": "Plan", "recurringInterval": "MONTH", "prices": [price], **changes}


async def test_a_product_says_how_its_periods_follow_each_other(api: Api) -> None:
    plain = await made(api, CREATE, input=product())
    assert (plain["intervalCount"], plain["billingPeriods"]) == (1, "FROM_START")
    nulls = product(intervalCount=None, billingPeriods=None)
    assert {**await made(api, CREATE, input=nulls), "id": plain["id"]} == plain
    quarterly = await made(
        api, CREATE, input=product(intervalCount=3, billingPeriods="CALENDAR", idempotencyKey="q")
    )
    assert (quarterly["intervalCount"], quarterly["billingPeriods"]) == (3, "CALENDAR")
    again = product(intervalCount=3, billingPeriods="CALENDAR", idempotencyKey="q")
    assert await made(api, CREATE, input=again) == quarterly
    other = product(intervalCount=6, billingPeriods="CALENDAR", idempotencyKey="q")
    assert await refused(api, CREATE, input=other) == [("CONFLICT", "idempotencyKey")]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"intervalCount": 0}, "intervalCount"),
        ({"intervalCount": 5, "billingPeriods": "CALENDAR"}, "intervalCount"),
        ({"recurringInterval": "DAY", "billingPeriods": "CALENDAR"}, "billingPeriods"),
        ({"usageInterval": "WEEK"}, "usageInterval"),
        ({"usageInterval": "YEAR"}, "usageInterval"),
        ({"usageInterval": "DAY", "billingPeriods": "CALENDAR"}, "usageInterval"),
    ],
)
async def test_impossible_periods_are_refused(api: Api, changes: dict[str, Any], path: str) -> None:
    assert await refused(api, CREATE, input=product(**changes)) == [("INVALID", path)]


async def test_a_product_says_by_which_interval_usage_is_billed(api: Api) -> None:
    async def usage(**changes: Any) -> tuple[str, int]:
        found = await made(api, CREATE, input=product(**changes))
        return found["usageInterval"], found["usageIntervalCount"]

    assert await usage() == await usage(usageInterval=None) == ("MONTH", 1)
    assert await usage(intervalCount=3) == ("MONTH", 3)
    assert await usage(intervalCount=3, usageInterval="MONTH") == ("MONTH", 1)
    yearly = {"recurringInterval": "YEAR", "usageInterval": "MONTH", "idempotencyKey": "y"}
    assert await usage(**yearly) == await usage(**yearly) == ("MONTH", 1)
    other = product(**{**yearly, "usageInterval": "YEAR"})
    assert await refused(api, CREATE, input=other) == [("CONFLICT", "idempotencyKey")]


async def test_a_subscription_tells_its_usage_period(api: Api) -> None:
    plan = await made(
        api, CREATE, input=product(recurringInterval="YEAR", usageInterval="MONTH", trialDays=90)
    )
    await api.get(
        'mutation { customerCreate(input: {externalId: "acme"}) { userErrors { message } } }'
    )
    trial = await made(
        api, SUBSCRIBE, input={"externalCustomerId": "acme", "productId": plan["id"]}
    )
    assert trial["usagePeriodStart"] == trial["currentPeriodStart"]
    assert trial["usagePeriodEnd"] == trial["currentPeriodEnd"]
    begun = await made(
        api,
        SUBSCRIBE,
        input={
            "externalCustomerId": "acme",
            "productId": plan["id"],
            "startedAt": "2020-01-01T00:00:00Z",
        },
    )
    # The trial ended on March 31, 2020.
    assert begun["currentPeriodStart"][4:] == begun["currentPeriodEnd"][4:] == "-03-31T00:00:00Z"
    assert begun["currentPeriodStart"] <= begun["usagePeriodStart"] < begun["usagePeriodEnd"]
    assert begun["usagePeriodEnd"] <= begun["currentPeriodEnd"]
    start, end = (
        date.fromisoformat(begun[name][:10]) for name in ("usagePeriodStart", "usagePeriodEnd")
    )
    assert timedelta(days=28) <= end - start <= timedelta(days=31)


async def test_a_subscription_follows_the_calendar_of_the_organization(api: Api) -> None:
    """Since 17 April in Berlin it is in its first, short period or in a whole month."""
    await api.get(
        'mutation { organizationUpdate(input: {timezone: "Europe/Berlin"}) {'
        " userErrors { message } } }"
    )
    plan = await made(api, CREATE, input=product(billingPeriods="CALENDAR"))
    await api.get(
        'mutation { customerCreate(input: {externalId: "acme"}) { userErrors { message } } }'
    )
    sent = {
        "externalCustomerId": "acme",
        "productId": plan["id"],
        "startedAt": "2026-04-16T22:00:00Z",
    }
    subscription = await made(api, SUBSCRIBE, input=sent)
    for instant in (subscription["currentPeriodStart"], subscription["currentPeriodEnd"]):
        assert instant[11:] in ("22:00:00Z", "23:00:00Z")
    shown = "query ($id: ID!) { subscription(id: $id) { upcomingInvoice { total } } }"
    found = await api.get(shown, id=subscription["id"])
    assert found["subscription"]["upcomingInvoice"] == {"total": 3100}
