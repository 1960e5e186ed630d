"""Every error code is documented and provoked, and shows nothing of what is behind it."""

import base64
import json
import re
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from metering.problems import ProblemCode
from models import Organization, exact_json
from schema import errors
from schema.context import Scope
from schema.errors import APIError, ErrorCode
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.resolvers.ai_plan import INGEST, subscribed
from tests.resolvers.token_meter import create_meter
from tests.serving import new_token

API = Path(__file__).parents[2] / "docs" / "api.md"
CODES = {
    found.code
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, APIError)
}
HASH = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
GRAPHQL = {"accept": "application/graphql-response+json"}


def test_every_code_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", API.read_text(), re.MULTILINE))
    assert documented == CODES | {code.name for code in ErrorCode}


def test_every_problem_of_the_core_has_a_code_of_the_api() -> None:
    assert set(get_args(ProblemCode)) == {code.name for code in ErrorCode}


async def unauthenticated(api: Api, **_: Any) -> Any:
    return await api.anonymous.post({"query": "{ organization { name } }"}, **GRAPHQL)


async def forbidden(api: Api, organization: Organization, **_: Any) -> Any:
    weak = api.with_secret(await new_token(organization, Scope.EVENTS_WRITE))
    return await weak.post({"query": "{ organization { name accessTokens { id } } }"}, **GRAPHQL)


async def bad_user_input(api: Api, **_: Any) -> Any:
    return await api.post({"query": "{ nothing }"}, **GRAPHQL)


async def not_found(api: Api, **_: Any) -> Any:
    query = (
        '{ meterPreview(filter: {}, aggregation: {function: COUNT}, externalCustomerId: "nobody")'
        " { quantity } }"
    )
    return await api.post({"query": query}, **GRAPHQL)


async def cursor_expired(api: Api, **_: Any) -> Any:
    ahead = base64.urlsafe_b64encode(f"{2**62}:{UUID(int=1)}".encode()).decode()
    query = {"query": f'subscription {{ usageUpdated(after: "{ahead}") {{ cursor }} }}'}
    return await api.post(query, accept="text/event-stream")


async def rate_limited(api: Api, graphql: Any, monkeypatch: pytest.MonkeyPatch, **_: Any) -> Any:
    monkeypatch.setattr(graphql.subscriptions, "_maximum", 0)
    query = {"query": "subscription { usageUpdated { cursor } }"}
    return await api.post(query, accept="text/event-stream")


async def persisted_query_not_found(api: Api, **_: Any) -> Any:
    return await api.post({"extensions": HASH}, **GRAPHQL)


async def persisted_query_not_supported(api: Api, **_: Any) -> Any:
    return await api.anonymous.post({"extensions": HASH}, **GRAPHQL)


async def too_complex(api: Api, **_: Any) -> Any:
    return await api.post({"query": "{" + "__typename " * 2_001 + "}"}, **GRAPHQL)


async def amount_too_large(api: Api, organization: Organization, **_: Any) -> Any:
    await subscribed(api, organization)
    event = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 10**25}}
    await api.get(INGEST, events=[event])
    await drain(organization.id)
    query = "{ subscriptions { nodes { upcomingInvoice { total } } } }"
    return await api.post({"query": query}, **GRAPHQL)


async def internal(api: Api, monkeypatch: pytest.MonkeyPatch, **_: Any) -> Any:
    async def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("the secret recipe")

    monkeypatch.setattr("schema.secrets.fetch_aside", broken)
    with capture_logs() as logs:
        response = await api.post({"query": "{ __typename }"}, **GRAPHQL)
    identifier = response.json()["errors"][0]["extensions"]["id"]
    assert [log["error_id"] for log in logs] == [identifier]
    assert "recipe" not in response.text
    return response


STATUS = {
    unauthenticated: 401,
    forbidden: 403,
    bad_user_input: 400,
    not_found: 200,
    cursor_expired: 200,
    rate_limited: 429,
    persisted_query_not_found: 400,
    persisted_query_not_supported: 400,
    too_complex: 400,
    amount_too_large: 200,
    internal: 500,
}


def test_every_code_is_provoked_below() -> None:
    assert {provoke.__name__.upper() for provoke in STATUS} == CODES


@pytest.mark.parametrize("provoke", STATUS, ids=lambda provoke: provoke.__name__)
async def test_a_code_comes_with_its_status(
    api: Api,
    application: Starlette,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    provoke: Any,
) -> None:
    response = await provoke(
        api=api,
        graphql=application.state.graphql,
        organization=organization,
        monkeypatch=monkeypatch,
    )
    _, is_stream, events = response.text.partition("event: next\r\ndata: ")
    answer = exact_json.loads(events.partition("\r\n")[0] if is_stream else response.text)
    assert [error["extensions"]["code"] for error in answer["errors"]] == [provoke.__name__.upper()]
    assert response.status_code == STATUS[provoke]


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
