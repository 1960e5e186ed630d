"""Filters and orders of lists: pages of every kind are what Python makes of all rows."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from models import Customer, CustomerSubscription, Invoice, Organization, Product
from schema.ids import encode_id
from schema.loaders.billing_lists import (
    InvoiceQuery,
    SubscriptionQuery,
    invoices_source,
    subscriptions_source,
)
from schema.loaders.keyset import PageRequest, bounds_of, page_of
from schema.loaders.sources import SQLSource, read_pages
from tests.graphql_client import Api
from tests.resolvers.rows import START, store_named
from tests.resolvers.rows import invoice as invoice_row
from tests.resolvers.rows import product as product_row

CUSTOMERS, PRODUCTS, SUBSCRIPTIONS, INVOICES = 3, 2, 12, 24
STATES = ("ISSUED", "PAID", "VOID")
INVOICE_LIST = """
query (
  $customerId: ID, $externalCustomerId: String, $subscriptionId: ID, $issuedAfter: DateTime,
  $issuedBefore: DateTime, $order: ListOrder
) {
  invoices(
    first: 100, customerId: $customerId, externalCustomerId: $externalCustomerId,
    subscriptionId: $subscriptionId, issuedAfter: $issuedAfter, issuedBefore: $issuedBefore,
    order: $order
  ) { totalCount nodes { number } }
}
"""


class Billed:
    """An organization with invoices, several of one instant, whose ids are not in their order."""

    def __init__(self, organization: Organization) -> None:
        self.customers = [
            Customer(organization_id=organization.id, external_id=f"c{number}")
            for number in range(CUSTOMERS)
        ]
        self.products = [product_row(organization, f"Plan {number}") for number in range(PRODUCTS)]
        self.subscriptions = [
            CustomerSubscription(
                organization_id=organization.id,
                customer_id=self.customers[number % CUSTOMERS].id,
                product_id=self.products[number % PRODUCTS].id,
                status="CANCELED" if number % 5 == 0 else "ACTIVE",
                started_at=START,
                anchor_at=START,
                period_index=0,
                current_period_start=START,
                current_period_end=START + timedelta(days=number % 7),
                usage_period_start=START,
                usage_period_end=START + timedelta(days=number % 7),
                created_at=START,
            )
            for number in range(SUBSCRIPTIONS)
        ]
        self.invoices = [
            invoice_row(
                organization,
                number + 1,
                customer_id=(
                    subscription := self.subscriptions[number % SUBSCRIPTIONS]
                ).customer_id,
                subscription_id=subscription.id,
                total=number,
                issued_at=START + timedelta(days=number * 5 % 8),
                status=STATES[number % len(STATES)],
            )
            for number in range(INVOICES)
        ]

    async def store(self) -> None:
        await Customer.bulk_create(self.customers)
        await Product.bulk_create(self.products)
        await CustomerSubscription.bulk_create(self.subscriptions)
        await Invoice.bulk_create(self.invoices)

    def issued(self, newest: bool = False, **having: Any) -> list[Invoice]:
        rows = sorted(self.invoices, key=lambda row: (row.issued_at, row.id), reverse=newest)
        return [row for row in rows if all(getattr(row, k) == v for k, v in having.items())]


@pytest.fixture
async def billed(organization: Organization, other_organization: Organization) -> Billed:
    await Billed(other_organization).store()
    own = Billed(organization)
    await own.store()
    return own


async def paged(source: SQLSource[Any], size: int, *, backward: bool) -> list[UUID]:
    """The ids of a list, read page by page from one of its ends, in its order."""
    found: list[Any] = []
    cursor = None
    while True:
        place = {"before" if backward else "after": cursor}
        request = PageRequest(size, backward, **place)
        (rows,) = await read_pages(
            _no_scan, [(source, bounds_of(source.keyset, request), size + 1)]
        )
        page = page_of(source.keyset, request, rows, _no_count)
        found = [*page.rows, *found] if backward else [*found, *page.rows]
        if not (page.has_previous if backward else page.has_next):
            return [row.id for row in found]
        cursor = page.cursor(page.rows[0 if backward else -1])


def _no_scan() -> Any:
    raise AssertionError("these lists take no scan")


async def _no_count() -> int:
    raise AssertionError("nobody asks for it")


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_pages_of_invoices_are_exact_in_both_orders_and_directions(
    billed: Billed, organization: Organization, newest: bool, backward: bool, size: int
) -> None:
    source = invoices_source(organization.id, InvoiceQuery(), newest_first=newest)
    expected = [row.id for row in billed.issued(newest)]
    assert await paged(source, size, backward=backward) == expected


INSTANTS = [START + timedelta(days=day) for day in range(-1, 9)]


async def test_any_filters_of_invoices_together_find_what_meets_them_all(
    billed: Billed, organization: Organization
) -> None:
    for customer, subscription, after, before, status, newest in product(
        (None, billed.customers[1].id, billed.customers[2].id),
        (None, billed.subscriptions[1].id, billed.subscriptions[2].id),
        (None, *INSTANTS[::3]),
        (None, *INSTANTS[1::3]),
        (None, "PAID"),
        (False, True),
    ):
        query = InvoiceQuery(customer, subscription, after, before, status)
        expected = [
            row.id
            for row in billed.issued(newest)
            if customer in (None, row.customer_id)
            and subscription in (None, row.subscription_id)
            and (after is None or row.issued_at >= after)
            and (before is None or row.issued_at < before)
            and status in (None, row.status)
        ]
        source = invoices_source(organization.id, query, newest_first=newest)
        assert await paged(source, 4, backward=newest) == expected


async def test_any_filters_of_subscriptions_together_find_what_meets_them_all(
    billed: Billed, organization: Organization
) -> None:
    for status, customer, plan, before in product(
        (None, "ACTIVE", "CANCELED"),
        (None, billed.customers[0].id),
        (None, billed.products[1].id),
        (None, *INSTANTS[::2]),
    ):
        query = SubscriptionQuery(status, customer, plan, before)
        expected = [
            row.id
            for row in sorted(billed.subscriptions, key=lambda row: row.id)
            if status in (None, row.status)
            and customer in (None, row.customer_id)
            and plan in (None, row.product_id)
            and (before is None or row.current_period_end < before)
        ]
        source = subscriptions_source(organization.id, query)
        assert await paged(source, 3, backward=False) == expected


async def test_a_customer_s_subscriptions_can_leave_out_the_ended_ones(
    api: Api, billed: Billed
) -> None:
    query = """query ($ended: Boolean!) {
      customer(externalId: "c1") {
        subscriptions(first: 100, includeEnded: $ended) { totalCount nodes { id status } }
      }
    }"""

    async def statuses(ended: bool) -> list[str]:
        found = (await api.get(query, ended=ended))["customer"]["subscriptions"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["status"] for node in found["nodes"]]

    own = [row for row in billed.subscriptions if row.customer_id == billed.customers[1].id]
    expected = [row.status for row in sorted(own, key=lambda row: row.id)]
    assert await statuses(ended=True) == expected
    assert "CANCELED" in expected
    assert await statuses(ended=False) == [each for each in expected if each != "CANCELED"]


async def test_invoices_are_filtered_and_ordered_over_the_api(api: Api, billed: Billed) -> None:
    customer, subscription = billed.customers[1], billed.subscriptions[4]
    after, before = START + timedelta(days=2), START + timedelta(days=6)

    async def numbers(**asked: Any) -> list[int]:
        found = (await api.get(INVOICE_LIST, **asked))["invoices"]
        assert found["totalCount"] == len(found["nodes"])
        return [int(node["number"]) for node in found["nodes"]]

    def expected(newest: bool = False, **having: Any) -> list[int]:
        return [row.sequence for row in billed.issued(newest, **having)]

    assert await numbers() == await numbers(order="OLDEST") == expected()
    assert await numbers(order="NEWEST") == expected(newest=True)
    of_customer = expected(customer_id=customer.id)
    assert await numbers(customerId=encode_id("Customer", customer.id)) == of_customer
    assert await numbers(externalCustomerId="c1") == of_customer
    assert await numbers(
        subscriptionId=encode_id("CustomerSubscription", subscription.id)
    ) == expected(subscription_id=subscription.id)
    assert await numbers(issuedAfter=after.isoformat(), issuedBefore=before.isoformat()) == [
        row.sequence for row in billed.issued() if after <= row.issued_at < before
    ]
    # Reversed, and of ten thousand years.
    assert await numbers(issuedAfter=before.isoformat(), issuedBefore=after.isoformat()) == []
    assert (
        await numbers(issuedAfter="0001-01-01T00:00:00Z", issuedBefore="9999-12-31T23:59:59Z")
        == expected()
    )


@pytest.mark.parametrize("unknown", ["", "x", "\0", encode_id("Meter", UUID(int=1)), "%"])
async def test_an_unknown_id_lists_nothing(api: Api, billed: Billed, unknown: str) -> None:
    for name in ("customerId", "subscriptionId", "externalCustomerId"):
        found = await api.get(INVOICE_LIST, **{name: unknown})
        assert found == {"invoices": {"totalCount": 0, "nodes": []}}
    for name in ("customerId", "productId"):
        query = f"query ($id: ID!) {{ subscriptions({name}: $id) {{ totalCount }} }}"
        assert await api.get(query, id=unknown) == {"subscriptions": {"totalCount": 0}}


async def test_a_list_takes_one_of_a_customer_s_ids(api: Api) -> None:
    assert await api.codes(INVOICE_LIST, customerId="x", externalCustomerId="y") == [
        "BAD_USER_INPUT"
    ]


async def test_subscriptions_are_filtered_over_the_api(api: Api, billed: Billed) -> None:
    query = """query ($status: CustomerSubscriptionStatus, $customer: ID, $product: ID,
      $before: DateTime) {
      subscriptions(status: $status, customerId: $customer, productId: $product,
        endsBefore: $before) { totalCount }
    }"""

    async def count(**asked: Any) -> int:
        total: int = (await api.get(query, **asked))["subscriptions"]["totalCount"]
        return total

    def expected(wanted: Callable[[CustomerSubscription], bool]) -> int:
        return sum(wanted(row) for row in billed.subscriptions)

    customer, plan = billed.customers[2], billed.products[1]
    end = START + timedelta(days=3)
    assert await count(status="CANCELED") == expected(lambda row: row.status == "CANCELED")
    assert await count(customer=encode_id("Customer", customer.id)) == expected(
        lambda row: row.customer_id == customer.id
    )
    assert await count(product=encode_id("Product", plan.id)) == expected(
        lambda row: row.product_id == plan.id
    )
    assert await count(before=end.isoformat()) == expected(lambda row: row.current_period_end < end)


NAMES = ("AI tokens", "100 % of it", "a_b", "Éclair", "back\\slash", "AI plan")


@pytest.mark.parametrize("text", ["ai", "%", "_", "éCL", "\\", "A", "\0", "nothing"])
async def test_meters_and_products_are_found_by_any_part_of_their_name(
    api: Api, organization: Organization, text: str
) -> None:
    await store_named(organization, NAMES)
    query = """query ($text: String) {
      meters(query: $text) { nodes { name } } products(query: $text) { nodes { name } }
    }"""
    found = await api.get(query, text=text)
    expected = [{"name": name} for name in NAMES if text.lower() in name.lower()]
    assert found == {"meters": {"nodes": expected}, "products": {"nodes": expected}}
