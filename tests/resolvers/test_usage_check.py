"""usageCheck by query: who may ask, how a customer is named, and what it costs."""

from typing import Any

import pytest

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain, send
from tests.resolvers.ai_plan import CREDIT, made, subscribed
from tests.resolvers.token_meter import create_meter
from tests.schema_execution import weight
from tests.serving import new_token
from tests.statements import counted

CHECK = """
query ($meter: ID!, $id: ID, $external: String, $units: Decimal! = 1) {
  usageCheck(meterId: $meter, customerId: $id, externalCustomerId: $external, units: $units) {
    allowed balance hasMeteredPrice
  }
}
"""
THROUGH = "query ($meter: ID!) { usageCheck(meterId: $meter, externalCustomerId: %s) { %s } }"


@pytest.fixture
async def meter(api: Api, organization: Organization) -> str:
    """A meter on which c1 has 10 units of credit and has used 3."""
    id_: str = (await create_meter(api))["meter"]["id"]
    await send(organization.id, {"metadata": {"tokens": 3}})
    await drain(organization.id)
    credit = {"externalCustomerId": "c1", "meterId": id_, "units": "10", "reason": "prepaid"}
    await made(api, CREDIT, input=credit)
    return id_


async def check(api: Api, meter: str, **asked: Any) -> Any:
    return (await api.get(CHECK, meter=meter, **asked))["usageCheck"]


async def error(api: Api, **asked: Any) -> tuple[str, Any, str]:
    """The code, the path and the message of the only error."""
    [found] = (await api.ask(CHECK, **asked))["errors"]
    extensions = found["extensions"]
    return extensions["code"], extensions.get("path"), found["message"]


async def test_a_check_says_what_is_left(api: Api, meter: str) -> None:
    customer = (await api.get('{ customer(externalId: "c1") { id } }'))["customer"]["id"]
    expected = {"allowed": True, "balance": "7", "hasMeteredPrice": False}
    assert await check(api, meter, external="c1") == expected
    assert await check(api, meter, id=customer) == expected
    assert (await check(api, meter, id=customer, units="7"))["allowed"]
    assert (await check(api, meter, id=customer, units=7))["allowed"]
    assert not (await check(api, meter, id=customer, units="7.0001"))["allowed"]
    assert (await check(api, meter, id=customer, units=0))["allowed"]
    assert not (await check(api, meter, id=customer, units="9" * 38))["allowed"]


async def test_a_subscription_with_a_price_allows_more_than_its_credit(
    api: Api, organization: Organization
) -> None:
    meter, _subscription = await subscribed(api, organization)
    assert await check(api, meter, external="acme", units="1000000000") == {
        "allowed": True,
        "balance": "-150000",
        "hasMeteredPrice": True,
    }


@pytest.mark.parametrize("units", ["-1", "-0.000001", "NaN", "Infinity", "1e400", "9" * 39, None])
async def test_impossible_units_are_refused(api: Api, meter: str, units: str | None) -> None:
    code, _path, _message = await error(api, meter=meter, external="c1", units=units)
    assert code == "BAD_USER_INPUT"


async def test_who_is_unknown_is_named(api: Api, meter: str) -> None:
    assert await error(api, meter=meter, external="nobody") == (
        "NOT_FOUND",
        ["externalCustomerId"],
        "There is no customer with this externalCustomerId",
    )
    for unknown in (meter, "", "\0", "x" * 1_000):
        code, path, _message = await error(api, meter=meter, id=unknown)
        assert (code, path) == ("NOT_FOUND", ["customerId"])
    for external in ("\0", "x" * 1_000, ""):
        code, path, _message = await error(api, meter=meter, external=external)
        assert (code, path) == ("NOT_FOUND", ["externalCustomerId"])
    assert await error(api, meter="nothing", external="c1") == (
        "NOT_FOUND",
        ["meterId"],
        "There is no meter with this meterId",
    )


async def test_exactly_one_customer_is_named(api: Api, meter: str) -> None:
    for asked in ({}, {"id": "x", "external": "c1"}, {"id": None, "external": None}):
        code, _path, message = await error(api, meter=meter, **asked)
        assert code == "BAD_USER_INPUT"
        assert "exactly one" in message


async def test_a_token_needs_to_read_usage(
    api: Api, organization: Organization, meter: str
) -> None:
    for scope in Scope:
        token = api.with_secret(await new_token(organization, scope))
        codes = await token.codes(CHECK, meter=meter, external="c1")
        is_enough = scope in {Scope.USAGE_READ, Scope.ADMIN}
        assert codes == ([] if is_enough else ["FORBIDDEN"]), scope
    assert await api.anonymous.codes(CHECK, meter=meter, external="c1") == ["UNAUTHENTICATED"]


async def test_a_session_asks_for_itself_only(api: Api, meter: str) -> None:
    own, other = await api.session("c1"), await api.session("c2")
    ids = {
        name: (await api.get("query ($id: String) { customer(externalId: $id) { id } }", id=name))[
            "customer"
        ]["id"]
        for name in ("c1", "c2")
    }
    for asked in ({}, {"external": "c1"}, {"id": ids["c1"]}):
        assert (await check(own, meter, **asked))["balance"] == "7"
    assert (await check(other, meter))["balance"] == "0"
    for asked in ({"external": "c1"}, {"id": ids["c1"]}, {"external": "nobody"}):
        code, path, _message = await error(other, meter=meter, **asked)
        assert (code, path) == (
            "NOT_FOUND",
            ["customerId" if "id" in asked else "externalCustomerId"],
        )
    code, _path, _message = await error(other, meter=meter, id=ids["c2"], external="c2")
    assert code == "BAD_USER_INPUT"


async def test_another_organization_has_no_such_customer_or_meter(
    api: Api, other_api: Api, organization: Organization, meter: str
) -> None:
    customer = (await api.get('{ customer(externalId: "c1") { id } }'))["customer"]["id"]
    for asked in ({"id": customer}, {"external": "c1"}):
        assert (await error(other_api, meter=meter, **asked))[0] == "NOT_FOUND"
    await other_api.session("c1")
    assert (await error(other_api, meter=meter, external="c1"))[:2] == ("NOT_FOUND", ["meterId"])
    own = (await create_meter(other_api))["meter"]["id"]
    assert await check(other_api, own, external="c1") == {
        "allowed": False,
        "balance": "0",
        "hasMeteredPrice": False,
    }


async def test_a_check_takes_one_statement(api: Api, meter: str) -> None:
    await check(api, meter, external="c1")
    with counted() as statements:
        await check(api, meter, external="c1")
    beside_the_token = [sql for sql in statements if "access_token" not in sql]
    assert len(beside_the_token) == 1, statements
    with counted() as statements:
        await api.get(THROUGH % ('"c1"', "allowed completeThrough"), meter=meter)
    assert len(statements) == 4


async def test_usage_is_complete_through_the_last_event(
    api: Api, organization: Organization, meter: str
) -> None:
    asked = THROUGH % ('"c1"', "balance completeThrough")
    before = (await api.get(asked, meter=meter))["usageCheck"]
    await send(organization.id, {"metadata": {"tokens": 1}})
    waiting = (await api.get(asked, meter=meter))["usageCheck"]
    again = (await api.get(asked, meter=meter))["usageCheck"]
    assert (before["balance"], waiting["balance"]) == ("7", "7")
    # It stands still while an event waits to be counted.
    assert before["completeThrough"] <= waiting["completeThrough"] == again["completeThrough"]
    await drain(organization.id)
    counted_ = (await api.get(asked, meter=meter))["usageCheck"]
    assert counted_["balance"] == "6"
    assert counted_["completeThrough"] > waiting["completeThrough"]


def test_a_check_costs_its_fields() -> None:
    text = '{ usageCheck(meterId: "x") { allowed balance hasMeteredPrice completeThrough } }'
    assert weight(text).once == 5
