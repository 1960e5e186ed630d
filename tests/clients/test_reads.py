"""What the Python clients ask the API, and the exceptions for what it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from metergraph_client import (
    ApiError,
    AsyncMetergraph,
    InvalidInputError,
    Metergraph,
    UnreachableError,
)
from metering.language.aggregations import AggregationFunction
from models import Customer
from schema.ids import encode_id
from tests.clients.faulty import FaultyProxy, answer, api_error, fall_silent
from tests.clients.world import MakeClient, World
from tests.ingesting import drain, meter_of

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["threads", "asyncio"])
async def ask(request: pytest.FixtureRequest, world: World, make_client: MakeClient) -> Ask:
    """Calls a method of either client, by its name."""

    async def of_threads(method: str, *arguments: Any, **named: Any) -> Any:
        return await asyncio.to_thread(getattr(make_client(), method), *arguments, **named)

    async def of_asyncio(method: str, *arguments: Any, **named: Any) -> Any:
        async with AsyncMetergraph(world.url, world.token) as client:
            return await getattr(client, method)(*arguments, **named)

    return of_threads if request.param == "threads" else of_asyncio


async def test_usage_and_balance_of_a_customer(
    world: World, ask: Ask, make_client: MakeClient
) -> None:
    meter = await meter_of(world.organization.id, AggregationFunction.SUM)
    meter_id = encode_id("Meter", meter.id)
    client = make_client()
    client.ingest("call", external_customer_id="acme", metadata={"tokens": Decimal("12.5")})
    client.flush()
    await drain(world.organization.id)
    [usage] = await ask("customer_meters", "acme")
    assert (usage.meter_id, usage.meter_name) == (meter_id, meter.name)
    assert (usage.consumed_units, usage.balance) == (Decimal("12.5"), Decimal("-12.5"))
    same = await ask("customer_meter", meter_id, external_customer_id="acme")
    assert replace(same, complete_through=usage.complete_through) == usage
    customer = await Customer.get(organization_id=world.organization.id, external_id="acme")
    customer_id = encode_id("Customer", customer.id)
    [same] = await ask("customer_meters", customer_id=customer_id)
    assert (same.meter_id, same.consumed_units) == (meter_id, Decimal("12.5"))
    check = await ask("usage_check", meter_id, external_customer_id="acme", units=Decimal("0.5"))
    assert (check.allowed, check.balance, check.has_metered_price) == (
        False,
        Decimal("-12.5"),
        False,
    )
    assert await ask("customer_meters", "unknown") == []
    assert await ask("customer_meter", meter_id, external_customer_id="unknown") is None
    with pytest.raises(ApiError) as refused:
        await ask("usage_check", meter_id, external_customer_id="unknown")
    assert (refused.value.code, refused.value.retryable) == ("NOT_FOUND", False)


async def test_problems_with_an_input_are_an_exception(ask: Ask) -> None:
    create = """mutation ($name: String!) {
      customerCreate(input: {name: $name}) { userErrors { code message path } }
    }"""
    assert (await ask("execute", create, {"name": "Acme"}))["customerCreate"]["userErrors"] == []
    with pytest.raises(InvalidInputError, match="INVALID") as refused:
        await ask("execute", create, {"name": ""})
    [problem] = refused.value.user_errors
    assert (problem.code, problem.path) == ("INVALID", ("name",))


async def test_a_query_that_is_wrong_is_an_exception(ask: Ask) -> None:
    with pytest.raises(ApiError, match="nonsense") as refused:
        await ask("execute", "{ nonsense }")
    assert (refused.value.code, refused.value.status) == ("BAD_USER_INPUT", 400)


async def test_what_gives_no_answer_is_unreachable(world: World, proxy: FaultyProxy) -> None:
    proxy.plan(fall_silent, answer(502), api_error(429, "RATE_LIMITED", retryAfterSeconds=7))
    with Metergraph(proxy.url, world.token) as client:
        with pytest.raises(UnreachableError, match="Timeout"):
            client.execute("{ me { scopes } }", timeout=1)
        with pytest.raises(UnreachableError) as unreachable:
            client.execute("{ me { scopes } }")
        assert unreachable.value.status == 502
        with pytest.raises(ApiError) as limited:
            client.execute("{ me { scopes } }")
        assert (limited.value.retryable, limited.value.retry_after) == (True, 7)
    with (
        Metergraph("http://127.0.0.1:9", world.token) as nobody,
        pytest.raises(UnreachableError, match="ConnectError"),
    ):
        nobody.execute("{ me { scopes } }")
