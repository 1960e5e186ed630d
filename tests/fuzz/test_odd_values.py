"""Odd values, sent wherever the schema takes one of their type: never our fault, and at once."""

import json
import time
from typing import Any

import pytest
from starlette.applications import Starlette

from models import exact_json
from tests.tenancy.asking import NODES, first_message, request
from tests.tenancy.places import Place, values
from tests.tenancy.world import Tenant
from tests.websocket_client import connected

SECONDS = 30.0
_CODES = {"AMOUNT_TOO_LARGE", "BAD_USER_INPUT", "NOT_FOUND", "TOO_COMPLEX"}

TEXTS = [
    "",
    "\0",
    "a\0b",
    "\ud800",
    "x\udfff",
    "metadata.a\0b",
    "name",
    "timestamp",
    "a" * 20_000,
    ".".join("a" * 500),
    "'; DROP TABLE event; --",
    "%s$1{}\\",
    "\u202e\u0000\ufffe\U0010ffff",
    "NaN",
    "1e999999999",
    "٣",
]
NUMBERS = [0, -1, 1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63, 10**400]
ODD: dict[str, list[Any]] = {
    "ID": TEXTS,
    "String": TEXTS,
    "Int": NUMBERS,
    "BigInt": NUMBERS,
    "Boolean": [True, False, "true", 1],
    "Decimal": [
        *NUMBERS,
        *TEXTS,
        "-0",
        "9" * 38,
        "-" + "9" * 38 + "." + "9" * 30,
        "0." + "0" * 29 + "1",
        "9" * 39,
        1.5,
    ],
    "DateTime": [
        *TEXTS,
        0,
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-12:00",
        "2026-02-29T00:00:00Z",
        "2026-01-01T00:00:00.123456789Z",
        "-4713-11-24T00:00:00Z",
    ],
    "CurrencyCode": [*TEXTS, "usd", "ZZZ"],
    "JSONObject": [
        {},
        [],
        {"a\0": 1},
        {"a": "\0"},
        {"\ud800": "\udfff"},
        {"a": {"b": {"c": {"d": {"e": {}}}}}},
        {"a": 10**400},
        {"a": [[[[[[]]]]]]},
        {str(number): number for number in range(100)},
    ],
    "ClauseValue": [*TEXTS, *NUMBERS, True, 1.5, [], {}, None],
}


def odd_values(tenant: Tenant, place: Place) -> list[Any]:
    found = ODD.get(place.kind, ["NOTHING_LIKE_IT", 1])  # of an enum
    return [*found, *tenant.cursors] if place.path[-1] in {"after", "before"} else found


def groups() -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in values():
        if place.parent != "Subscription":
            name = f"{place.parent}.{place.field}" if place.parent == "Mutation" else place.parent
            found.setdefault(name, []).append(place)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("group", groups())
async def test_an_odd_value_is_answered(tenant: Tenant, group: str) -> None:
    for place in groups()[group]:
        if place.parent not in NODES:
            assert place.path[-1] in {"first", "after", "last", "before"}, "how is it reached?"
            continue
        for value in odd_values(tenant, place):
            await try_value(tenant, place, value)


async def try_value(tenant: Tenant, place: Place, value: Any) -> None:
    document, variables = request(tenant, place, value, 1)
    # As ASCII: a lone surrogate is a legal escape of JSON, which UTF-8 itself cannot carry.
    body = json.dumps({"query": document, "variables": variables})
    started = time.perf_counter()
    answer = exact_json.loads((await tenant.api.post(body)).content)
    assert time.perf_counter() - started < SECONDS, (place, value)
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= _CODES, (str(place), value, answer)


@pytest.mark.slow
@pytest.mark.parametrize("place", [p for p in values() if p.parent == "Subscription"], ids=str)
async def test_an_odd_value_of_a_subscription_is_answered(
    application: Starlette, tenant: Tenant, place: Place
) -> None:
    async with connected(application, tenant.api.secret) as socket:
        for number, value in enumerate(odd_values(tenant, place)):
            document, variables = request(tenant, place, value, 1)
            payload = {"query": document, "variables": variables}
            message = {"type": "subscribe", "id": str(number), "payload": payload}
            await socket.send(json.dumps(message))
            assert '"INTERNAL"' not in await first_message(application, socket, str(number)), value
