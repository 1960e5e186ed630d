"""search: what a text names, as a search through all rows in Python finds it."""

import json
import re
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from models import Customer, Invoice, Meter, Organization, Product
from schema.context import Scope
from schema.ids import encode_id
from schema.loaders.search import FIND_CUSTOMERS
from tests.graphql_client import Api
from tests.resolvers.rows import invoice, store_named
from tests.serving import new_token

SEARCH = """query ($query: String!, $first: Int) { search(query: $query, first: $first) {
  __typename ... on Meter { name } ... on Product { name }
  ... on Customer { externalId customerName: name } ... on Invoice { number } } }"""

CUSTOMERS: list[tuple[str | None, str | None, str | None]] = [
    ("acme", "Acme Corporation", "billing@acme.example"),
    ("acme-eu", "Acme Europe", None),
    ("globex", "Globex, a part of ACME", "hank@globex.example"),
    ("42", None, None),
    ("000002", None, "x_y@100%.example"),
    ("émile", "Émile Zölä", "emile@zola.example"),
    ("%", "100 % of it", None),
    ("_", "- -  -", None),
    (None, "Nobody's own", None),
    ("b\\c", "back\\slash 'quoted' & | ! :*", None),
    ("long", "x" * 256, None),
]
NAMES = ["AI tokens", "Acme", "100 % of it", "Tokens_in", "zölä"]


async def stored(organization: Organization) -> None:
    await Customer.bulk_create(
        [
            Customer(organization_id=organization.id, external_id=one, name=name, email=email)
            for one, name, email in CUSTOMERS
        ]
    )
    await store_named(organization, NAMES)
    await Invoice.bulk_create([invoice(organization, number) for number in (1, 2, 42)])


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _rank(text: str, values: list[str]) -> int:
    if text in values:
        return 0
    return 1 if any(value.startswith(text) for value in values) else 2


def expected_of(text: str) -> set[tuple[str, str | None, int]]:
    """What is found: its type, its name or number, and its rank."""
    text = text.strip().lower()
    found: set[tuple[str, str | None, int]] = set()
    for customer in CUSTOMERS:
        values = [value.lower() for value in customer if value is not None]
        words = [word for value in values for word in _words(value)]
        asked = _words(text)
        by_word = bool(asked) and all(any(word.startswith(one) for word in words) for one in asked)
        if by_word or any(value.startswith(text) for value in values):
            found.add(("Customer", customer[0] or customer[1], _rank(text, values)))
    for name in NAMES:
        if text in name.lower():
            rank = _rank(text, [name.lower()])
            found |= {("Meter", name, rank), ("Product", name, rank)}
    for number in (1, 2, 42):
        if text.isascii() and text.isdigit() and int(text) == number:
            found.add(("Invoice", f"{number:06}", 0))
    return found


def shown(node: dict[str, Any]) -> tuple[str, str | None]:
    name = (
        node.get("number") or node.get("externalId") or node.get("customerName") or node.get("name")
    )
    return node["__typename"], name


TEXTS = [
    *("acme", "ACME", "  acme ", "Acme Corp", "corp acme", "europe", "hank", "globex.ex", "glob"),
    *("42", "000042", "2", "tokens", "token", "okens", "z", "zölä", "ÉMILE", "émi", "emile@zola"),
    *(
        "%",
        "_",
        "100 %",
        "100%",
        "- -",
        "b\\",
        "\\",
        "'quoted'",
        "& |",
        ":*",
        "!",
        "x_y",
        "x" * 256,
    ),
    *("nobody", "own", "nothing", "a", "part of", "1" * 300, "9" * 18),
]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_search_finds_what_going_through_everything_finds(
    api: Api, organization: Organization, other_organization: Organization, text: str
) -> None:
    await stored(organization)
    await stored(other_organization)
    found = [shown(node) for node in (await api.get(SEARCH, query=text, first=100))["search"]]
    expected = expected_of(text)
    assert len(found) == len(expected)
    ranks = {(kind, name): rank for kind, name, rank in expected}
    assert set(found) == ranks.keys()
    in_order = [ranks[one] for one in found]
    assert in_order == sorted(in_order)
    some = (await api.get(SEARCH, query=text, first=2))["search"]
    assert [ranks[shown(node)] for node in some] == in_order[:2]


async def test_those_that_begin_with_the_text_leave_room_for_those_that_contain_it(
    api: Api, organization: Organization
) -> None:
    names = [*(f"Zeta {number}" for number in range(3)), *(f"Pi zeta {n}" for n in range(300))]
    await Customer.bulk_create([Customer(organization_id=organization.id, name=n) for n in names])
    found = (await api.get(SEARCH, query="zeta"))["search"]
    shown_names = [node["customerName"] for node in found]
    assert shown_names[:3] == names[:3]
    assert len(set(shown_names)) == 10
    assert set(shown_names) <= set(names)


@pytest.mark.parametrize("rare", [1, 9, 30])
async def test_a_word_of_old_customers_is_found(
    api: Api, organization: Organization, other_organization: Organization, rare: int
) -> None:
    for tenant in (organization, other_organization):
        names = ["Old rho"] * rare + ["New pi"] * 200 + ["Newer rho"] * 2
        await Customer.bulk_create([Customer(organization_id=tenant.id, name=n) for n in names])
    found = (await api.get(SEARCH, query="rho"))["search"]
    shown_names = [node["customerName"] for node in found]
    assert len(found) == min(10, rare + 2)
    assert shown_names.count("Newer rho") == 2


async def test_a_word_of_all_customers_is_found_without_reading_all_of_them(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    await database.execute_query(
        """
        INSERT INTO customer (organization_id, id, name, created_at)
        SELECT $1, gen_random_uuid(), 'Company ' || number || ' Incorporated', now()
        FROM generate_series(1, 2000) AS number
        """,
        [organization.id],
    )
    await database.execute_script("ANALYZE customer")
    async with in_transaction() as connection:
        await connection.execute_query("SET LOCAL enable_seqscan = off")
        (row,) = await connection.execute_query_dict(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {FIND_CUSTOMERS}",
            [organization.id, "incorporated", 10],
        )
    plan = json.loads(row["QUERY PLAN"])[0]["Plan"]
    assert plan["Actual Rows"] == 10
    assert _executions(plan, "customer_words") == [0]


def _executions(plan: dict[str, Any], index: str) -> list[int]:
    """How often a plan reads an index, wherever it would."""
    own = [plan["Actual Loops"]] if plan.get("Index Name") == index else []
    return own + [loops for part in plan.get("Plans", []) for loops in _executions(part, index)]


@pytest.mark.parametrize("text", ["", " ", "\0", "a\0", "x" * 10_000, "\t\n"])
async def test_a_text_that_names_nothing_finds_nothing(
    api: Api, organization: Organization, text: str
) -> None:
    await stored(organization)
    assert (await api.get(SEARCH, query=text))["search"] == []


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_an_impossible_number_of_results_is_refused(api: Api, first: int) -> None:
    assert await api.codes(SEARCH, query="acme", first=first) == ["BAD_USER_INPUT"]


async def test_an_id_finds_its_object(api: Api, other_api: Api, organization: Organization) -> None:
    await stored(organization)
    meter = await Meter.filter(organization_id=organization.id).first()
    assert meter is not None
    named = encode_id("Meter", meter.id)
    assert (await api.get(SEARCH, query=f" {named} "))["search"] == [
        {"__typename": "Meter", "name": meter.name}
    ]
    assert (await other_api.get(SEARCH, query=named))["search"] == []
    organizations = encode_id("Organization", organization.id)
    assert (await api.get(SEARCH, query=organizations))["search"] == []


async def test_a_search_shows_what_the_token_may_read(api: Api, organization: Organization) -> None:
    await stored(organization)
    kinds = {}
    for scope in (Scope.USAGE_READ, Scope.BILLING_READ, Scope.EVENTS_WRITE):
        caller = api.with_secret(await new_token(organization, scope))
        answers = [await caller.ask(SEARCH, query=text) for text in ("acme", "1")]
        kinds[scope] = {
            node["__typename"]
            for answer in answers
            for node in (answer.get("data") or {}).get("search", [])
        }
        if scope is Scope.USAGE_READ:
            product = await Product.filter(organization_id=organization.id).first()
            assert product is not None
            by_id = await caller.get(SEARCH, query=encode_id("Product", product.id))
            assert by_id["search"] == []
    assert kinds == {
        Scope.USAGE_READ: {"Meter", "Customer"},
        Scope.BILLING_READ: {"Meter", "Customer", "Product", "Invoice"},
        Scope.EVENTS_WRITE: set(),
    }
    session = await api.session("acme")
    assert await session.codes(SEARCH, query="acme") == ["FORBIDDEN"]
