"""Every error code is documented and provoked, and shows nothing of what is behind it."""

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs
from tortoise.connection import get_connection

from metering.problems import ProblemCode
from models import Customer, Organization, exact_json
from schema import errors
from schema.context import Scope
from schema.errors import APIError, ErrorCode
from tests.billing.rated import by_model
from tests.billing.world import World
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.resolvers.ai_plan import INGEST, subscribed
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


async def events_archived(api: Api, monkeypatch: pytest.MonkeyPatch, **_: Any) -> Any:
    async def archived(_connection: object) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    # Other tests use this database, so nothing is really archived; tests of archives do that.
    monkeypatch.setattr("metering.usage.preview.events_from", archived)
    query = 'aggregation: {function: COUNT}, start: "2025-12-31T00:00:00Z"'
    return await api.post(
        {"query": f"{{ meterPreview(filter: {{}}, {query}) {{ quantity }} }}"}, **GRAPHQL
    )


async def events_erased(api: Api, organization: Organization, **_: Any) -> Any:
    world = World(organization, get_connection("default"))
    customer, meter = await world.customer(), await world.meter(dimensions=["model", "kind"])
    await world.subscribe(customer, await world.product(by_model(meter)), "2026-01-01")
    await world.use(customer, ("2026-01-05", 1), model="large")
    await world.cycle("2026-02-01")
    await Customer.filter(id=customer.id).update(erased_at=datetime.now(UTC))
    query = "{ invoices(first: 1) { nodes { lines { explanation { matchedEvents } } } } }"
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
    events_archived: 200,
    events_erased: 200,
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
