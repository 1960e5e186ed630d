"""revenue: what was invoiced over time, and what is to come."""

from datetime import timedelta
from typing import Any

import pytest

from models import Invoice, Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import VIEW, subscribed
from tests.resolvers.rows import START, invoice
from tests.serving import new_token

REVENUE = """query ($start: DateTime!, $end: DateTime!, $interval: Interval!, $zone: String,
  $currency: CurrencyCode) {
  revenue(start: $start, end: $end, interval: $interval, timezone: $zone, currency: $currency) {
    currency total upcoming upcomingCompleteThrough points { start end amount } } }"""
YEAR = {"start": "2026-01-01T00:00:00Z", "end": "2026-04-01T00:00:00Z", "interval": "MONTH"}


async def issued(organization: Organization, *invoices: tuple[int, int, str]) -> None:
    """Invoices by the day of the year that they were issued on, amount and currency."""
    await Invoice.bulk_create(
        [
            invoice(
                organization,
                100 + number,
                currency=currency,
                total=amount,
                issued_at=START + timedelta(days=day),
            )
            for number, (day, amount, currency) in enumerate(invoices)
        ]
    )


async def test_revenue_is_the_sum_of_the_invoices_of_each_interval(
    api: Api, organization: Organization, other_organization: Organization
) -> None:
    large = 2**52
    await issued(organization, (0, large, "EUR"), (30, 3, "EUR"), (31, -7, "EUR"), (40, 9, "USD"))
    await issued(other_organization, (0, 1, "EUR"))
    found = (await api.get(REVENUE, **YEAR))["revenue"]
    assert (found["currency"], found["total"]) == ("EUR", large - 4)
    assert [point["amount"] for point in found["points"]] == [large + 3, -7, 0]
    dollars = (await api.get(REVENUE, **YEAR, currency="USD"))["revenue"]
    assert [point["amount"] for point in dollars["points"]] == [0, 9, 0]
    west = await api.get(REVENUE, **{**YEAR, "start": "2025-12-01T00:00:00Z"}, zone="Etc/GMT+1")
    # Midnight of January in UTC is December yet an hour to the west.
    assert [point["amount"] for point in west["revenue"]["points"]] == [0, large, -4, 0, 0]


async def test_what_is_to_come_is_the_sum_of_the_estimates(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    customer = (await api.get(f'{{ customer(externalId: "acme") {{ {VIEW} }} }}'))["customer"]
    estimate = customer["subscriptions"]["nodes"][0]["upcomingInvoice"]
    found = (await api.get(REVENUE, **YEAR))["revenue"]
    assert (found["currency"], found["upcoming"]) == ("USD", estimate["total"])
    assert estimate["total"] > 2_000
    euros = (await api.get(REVENUE, **YEAR, currency="EUR"))["revenue"]
    assert euros["upcoming"] == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"zone": "Mars/Olympus"}, "BAD_USER_INPUT"),
        ({"end": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        ({"end": "9999-12-31T00:00:00Z", "interval": "HOUR"}, "TOO_COMPLEX"),
        ({"currency": "\0"}, "BAD_USER_INPUT"),
    ],
)
async def test_impossible_revenue_is_refused(api: Api, changed: dict[str, Any], code: str) -> None:
    assert await api.codes(REVENUE, **{**YEAR, **changed}) == [code]


async def test_revenue_needs_the_scope_that_reads_billing(
    api: Api, organization: Organization
) -> None:
    usage = api.with_secret(await new_token(organization, Scope.USAGE_READ))
    assert await usage.codes(REVENUE, **YEAR) == ["FORBIDDEN"]
