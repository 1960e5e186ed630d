"""Wrong input is refused with its place, and with a message that names it briefly."""

import json
from typing import Any

import pytest

from tests.graphql_client import Api
from tests.resolvers.token_meter import create_meter

PRODUCT = """mutation ($prices: [ProductPriceInput!]!) {
  productCreate(input: {name: "P", recurringInterval: MONTH, prices: $prices})
  { userErrors { message } }
}"""
FIXED = {"currency": "USD", "amount": 1}


@pytest.mark.parametrize(
    ("prices", "place"),
    [
        ([{"fixed": FIXED}, {}], "at [1]:"),
        ([{"fixed": FIXED, "metered": None}], "at [0]:"),
        ([{"fixed": None}], "at [0].fixed:"),
        ([{"fixed": FIXED}, {"nothing": 1}], "at [1]:"),
    ],
)
async def test_a_violated_one_of_names_its_place(api: Api, prices: Any, place: str) -> None:
    error = (await api.ask(PRODUCT, prices=prices))["errors"][-1]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert place in error["message"]


PREVIEW = "meterPreview(filter: {clauses: [NODE]}, aggregation: {function: COUNT}) { quantity }"


@pytest.mark.parametrize(
    ("node", "query"),
    [
        ("{}", "fragment F on Query { PREVIEW } query { ...F }"),
        ("{filter: $undeclared}", "query { PREVIEW }"),
        ("{filter: $f}", "query ($f: MeterFilterInput) { PREVIEW }"),
        ("{filter: null}", "{ PREVIEW }"),
        ("{filter: {}, clause: null}", "{ PREVIEW }"),
    ],
)
async def test_a_violated_one_of_in_the_document_is_the_caller_s(
    api: Api, node: str, query: str
) -> None:
    errors_ = (await api.ask(query.replace("PREVIEW", PREVIEW).replace("NODE", node)))["errors"]
    assert {error["extensions"]["code"] for error in errors_} == {"BAD_USER_INPUT"}
    assert all(error["locations"] for error in errors_)


QUANTITIES = '{ meter(id: "METER") { quantities(GIVEN, interval: DAY) { total } } }'
CLAUSE = '{clause: {property: "", operator: EQUALS, value: 1}}'


@pytest.mark.parametrize(
    ("query", "given", "path"),
    [
        (QUANTITIES, 'start: "2026-01-02T00:00:00Z", end: "2026-01-01T00:00:00Z"', ["end"]),
        (
            QUANTITIES,
            'start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z", timezone: "Mars"',
            ["timezone"],
        ),
        (
            f"{{ {PREVIEW} }}".replace("NODE", CLAUSE),
            "",
            ["filter", "clauses", "0", "clause", "property"],
        ),
    ],
)
async def test_a_wrong_argument_is_named_by_its_path(
    api: Api, query: str, given: str, path: list[str]
) -> None:
    meter = (await create_meter(api))["meter"]["id"]
    asked = query.replace("METER", meter).replace("GIVEN", given)
    (error,) = (await api.ask(asked))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": path}


@pytest.mark.parametrize("number", ["5.0", "1e2", pytest.param("9" * 5000, id="long")])
async def test_a_number_that_is_no_integer_is_refused(api: Api, number: str) -> None:
    query = "query ($n: Int) { events(first: $n) { totalCount } }"
    body = f'{{"query": "{query}", "variables": {{"n": {number}}}}}'
    response = await api.post(body)
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "'$n'" in error["message"]
    assert len(response.content) < 1_000


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ('{ events(filter: {start: "2026-01-01T00:00:00"}) { totalCount } }', '"2026'),
        ("{ events(filter: {end: 17}) { totalCount } }", "17"),
        (f"{{ {PREVIEW} }}".replace("NODE", CLAUSE.replace("1", "[]")), "[]"),
    ],
)
async def test_a_literal_that_is_refused_has_a_place(api: Api, query: str, culprit: str) -> None:
    (error,) = (await api.ask(query))["errors"]
    assert error["locations"] == [{"line": 1, "column": query.index(culprit) + 1}]


@pytest.mark.parametrize("name", ["after", "before"])
async def test_an_invalid_cursor_is_named(api: Api, name: str) -> None:
    (error,) = (await api.ask(f'{{ events({name}: "nonsense") {{ totalCount }} }}'))["errors"]
    assert f"`{name}`" in error["message"]
    assert error["path"] == ["events"]


WRONG = """mutation ($zero: Decimal!, $text: String!) {
  productCreate(input: {name: "", description: $text, recurringInterval: MONTH, prices: [
    {fixed: {currency: "USD", amount: -1}}
    {metered: {currency: "USD", meterId: "x", unitAmount: "0.0000000000001", capAmount: -1}}
    {metered: {currency: "USD", meterId: "x", pricing: PACKAGE, packageAmount: 1,
               packageSize: $zero}}
  ]}) { userErrors { code message path } }
  meterCreditBenefitCreate(input: {description: "", meterId: "x", units: $zero})
    { userErrors { code message path } }
  customerMeterCredit(input: {externalCustomerId: "x", meterId: "x", units: $zero, reason: ""})
    { userErrors { code message path } }
}"""


async def test_the_message_of_a_wrong_value_names_it(api: Api) -> None:
    answer = await api.get(WRONG, zero="0", text="x" * 1_001)
    problems = [problem for payload in answer.values() for problem in payload["userErrors"]]
    named = {problem["path"][-1] for problem in problems}
    assert {"name", "description", "amount", "capAmount", "packageSize", "units"} <= named
    for problem in problems:
        if problem["code"] != "NOT_FOUND":
            assert problem["path"][-1] in problem["message"]


async def test_errors_quote_long_values_briefly(api: Api) -> None:
    for value in ("x" * 50_000, {"a" * 50_000: 1}, ["y" * 50_000] * 3):
        body = json.dumps({"query": PRODUCT, "variables": {"prices": value}})
        assert len((await api.post(body)).content) < 5_000
    for query in ("{ " + "x" * 50_000 + " }", '{ node(id: "' + "x" * 50_000):
        assert len((await api.post({"query": query})).content) < 5_000
