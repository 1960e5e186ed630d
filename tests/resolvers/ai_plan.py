"""The AI plan through the API: what is sent for it, and who has subscribed to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import drain

METER = """
mutation ($name: String!) {
  meterCreate(input: {name: $name, unit: "token", filter: {},
    aggregation: {function: SUM, property: "tokens"}}) { meter { id } userErrors { message } }
}
"""

PRODUCT = """
mutation ($input: ProductCreateInput!) {
  productCreate(input: $input) {
    product {
      id name recurringInterval archivedAt
      prices {
        __typename id currency
        ... on FixedPrice { amount }
        ... on MeteredPrice {
          pricing unitAmount packageAmount packageSize capAmount meter { id }
          minimumAmount billsFlatAmountAtZero conversion { divideBy round decimals }
          tiers { upTo unitAmount flatAmount }
        }
      }
      benefits { id description units rollover meter { id } }
    }
    userErrors { code path message }
  }
}
"""

BENEFIT = """
mutation ($input: MeterCreditBenefitCreateInput!) {
  meterCreditBenefitCreate(input: $input) { benefit { id } userErrors { code path } }
}
"""

SUBSCRIBE = """
mutation ($input: CustomerSubscriptionCreateInput!) {
  customerSubscriptionCreate(input: $input) {
    subscription { id status startedAt currentPeriodStart currentPeriodEnd cancelAtPeriodEnd }
    userErrors { code path }
  }
}
"""

CANCEL = """
mutation ($id: ID!, $when: CancelWhen!) {
  customerSubscriptionCancel(input: {id: $id, when: $when}) {
    subscription { status endedAt cancelAtPeriodEnd } userErrors { code path }
  }
}
"""

CREDIT = """
mutation ($input: CustomerMeterCreditInput!) {
  customerMeterCredit(input: $input) {
    customerMeter { creditedUnits balance creditEntries(first: 10) { nodes { kind units reason } } }
    userErrors { code path }
  }
}
"""

INGEST = """
mutation ($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) { inserted userErrors { message } }
}
"""

LINES = """
  currency total
  lines {
    kind description periodStart periodEnd consumedUnits creditedUnits billableUnits convertedUnits
    amount
    price { id __typename }
  }
"""

VIEW = f"""
  externalId
  subscriptions(first: 2) {{ nodes {{
    id product {{ name prices {{ id }} benefits {{ units }} }}
    upcomingInvoice {{ {LINES} completeThrough }}
    invoices(first: 5) {{ totalCount nodes {{ number issuedAt {LINES} customer {{ id }} }} }}
  }} }}
  invoices {{ totalCount }}
  meters(first: 2) {{ nodes {{
    consumedUnits creditedUnits balance creditEntries(first: 9) {{ totalCount nodes {{
    kind units benefit {{ units }} }} }} }} }}
"""


async def made(api: Api, query: str, **variables: Any) -> Any:
    """The object of a payload without errors."""
    payload = next(iter((await api.get(query, **variables)).values()))
    assert payload["userErrors"] == []
    return next(value for name, value in payload.items() if name != "userErrors")


async def refused(api: Api, query: str, **variables: Any) -> list[tuple[str, str]]:
    """The errors of a payload without an object."""
    payload = next(iter((await api.get(query, **variables)).values()))
    assert all(not value for name, value in payload.items() if name != "userErrors")
    return [(error["code"], ".".join(error["path"])) for error in payload["userErrors"]]


async def ai_plan(api: Api) -> tuple[str, Any]:
    """The meter's id and the product of the seed: $20, a million tokens, then $0.40 a 100,000."""
    meter = (await made(api, METER, name="AI usage"))["id"]
    benefit = await made(
        api,
        BENEFIT,
        input={"description": "1M tokens", "meterId": meter, "units": "1000000"},
    )
    metered = {
        "currency": "USD",
        "meterId": meter,
        "pricing": "PACKAGE",
        "packageAmount": 40,
        "packageSize": 100_000,
    }
    product = await made(
        api,
        PRODUCT,
        input={
            "name": "AI plan",
            "recurringInterval": "MONTH",
            "prices": [{"fixed": {"currency": "USD", "amount": 2000}}, {"metered": metered}],
            "benefitIds": [benefit["id"]],
        },
    )
    return meter, product


async def subscribed(api: Api, organization: Organization) -> tuple[str, Any]:
    """A subscription to the AI plan, with usage, as it stands."""
    meter, product = await ai_plan(api)
    now = datetime.now(UTC)
    await api.get(
        'mutation { customerCreate(input: {externalId: "acme"}) { userErrors { message } } }'
    )
    subscription = await made(
        api,
        SUBSCRIBE,
        input={
            "externalCustomerId": "acme",
            "productId": product["id"],
            "startedAt": (now - timedelta(days=1)).isoformat(),
        },
    )
    await api.get(
        INGEST,
        events=[
            {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": tokens}}
            for tokens in (900_000, 250_000)
        ],
    )
    await drain(organization.id)
    return meter, subscription
