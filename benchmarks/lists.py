"""Searches, and filtered lists of customers and invoices, among 100,000 of each; one client."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from benchmarks.asking import Asking
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.system import running_system
from models import Customer
from schema.ids import encode_id

NAME = "lists"
_ROWS = 100_000
_CALLS = 50
_AIM_SECONDS = 0.03

# UUIDs of version 7, as the API makes them: rows created together lie together in the table.
_ID = """
(
    lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - number::bigint * 60000), 12, '0')
    || '7' || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 15)
)::uuid
"""
_CUSTOMERS = f"""
INSERT INTO customer (organization_id, id, external_id, name, email, created_at)
SELECT $1, {_ID}, 'customer-' || number, 'Company ' || number || ' Incorporated',
       'billing@company-' || number || '.example', now() - number * interval '1 minute'
FROM generate_series(1, $2::int) AS number
"""
# Each customer has an invoice, of a subscription that nothing else shows.
_INVOICES = f"""
INSERT INTO invoice (
    organization_id, id, sequence, customer_id, subscription_id, currency, total, position,
    issued_at
)
SELECT $1, {_ID}, number, customer_id, gen_random_uuid(), 'USD', number, 0,
       now() - number * interval '1 minute'
FROM (SELECT id AS customer_id, row_number() OVER (ORDER BY id) AS number FROM customer
      WHERE organization_id = $1) AS customers
"""

_SEARCH = """query ($text: String!) { search(query: $text) {
  ... on Customer { id externalId name } ... on Invoice { id number }
} }"""
_INVOICE_PAGE = "{ nodes { id number total customer { id externalId } } pageInfo { endCursor } }"
_CUSTOMER_PAGE = "{ nodes { id externalId name email } pageInfo { endCursor } }"


async def measure(run: Run) -> list[Result]:
    """Every answer comes over HTTP."""
    rows = _ROWS // 10 if run.quick else _ROWS
    async with running_system(run.folder) as system:
        tenant = await system.new_tenant(meters=1)
        connection = get_connection("default")
        await connection.execute_query(_CUSTOMERS, [tenant.organization.id, rows])
        await connection.execute_query(_INVOICES, [tenant.organization.id])
        await connection.execute_query("VACUUM ANALYZE customer, invoice")
        customer = await Customer.get(
            external_id="customer-777", organization_id=tenant.organization.id
        )
        client = Asking(await system.connect(tenant.token))
        results = [
            await _result(client, f"{case}; {rows:,} of each", query, variables)
            for case, query, variables in (*_searches(), *_lists(customer.id))
        ]
        await client.close()
        return results


def _searches() -> Iterator[tuple[str, str, dict[str, Any]]]:
    texts = {
        "the beginning of each id": "customer",
        "a word that each customer has": "incorporated",
        "two words, of which each customer has one": "incorporated 777",
        "a number": "777",
        "nothing": "nothing",
    }
    for case, text in texts.items():
        yield f"search: {case}", _SEARCH, {"text": text}


def _lists(customer_id: UUID) -> Iterator[tuple[str, str, dict[str, Any]]]:
    day = datetime.now(UTC) - timedelta(days=1)
    arguments: dict[str, tuple[str, dict[str, Any]]] = {
        "the newest": ("order: NEWEST", {}),
        "of a customer": ("customerId: $id", {"id": encode_id("Customer", customer_id)}),
        "of a day": (
            "issuedAfter: $from, issuedBefore: $to",
            {"from": day, "to": day + timedelta(hours=12)},
        ),
    }
    for case, (argument, variables) in arguments.items():
        declared = {"id": "ID", "from": "DateTime", "to": "DateTime"}
        names = ", ".join(f"${name}: {declared[name]}" for name in variables)
        query = f"query {f'({names})' if names else ''} {{ invoices({argument}) {_INVOICE_PAGE} }}"
        yield f"invoices {case}", query, variables
    for case, argument in {
        "in order": "first: 50",
        "the newest": "order: NEWEST",
        "with a text that each has": 'query: "corporat"',
        "with a text that none has": 'query: "nothing"',
    }.items():
        yield f"customers {case}", f"query {{ customers({argument}) {_CUSTOMER_PAGE} }}", {}


async def _result(client: Asking, case: str, query: str, variables: dict[str, Any]) -> Result:
    taken = await client.seconds(query, variables, _CALLS)
    p50, p99 = median(taken), percentile(taken, 0.99)
    return Result(
        NAME,
        f"{case}, p50 and p99",
        f"{p50 * 1e3:.1f} ms, {p99 * 1e3:.1f} ms",
        aim=f"p50 < {_AIM_SECONDS * 1e3:.0f} ms",
        met=p50 < _AIM_SECONDS,
    )
