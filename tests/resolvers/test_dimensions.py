"""Dimensions by query and mutation: usage grouped by the values of an event's properties."""

from decimal import Decimal
from typing import Any

import pytest

from models import Meter, Organization
from tests.graphql_client import Api
from tests.ingesting import NOON, catch_up_all, drain, send
from tests.resolvers.token_meter import create_meter

UPDATE = """mutation ($input: MeterUpdateInput!) { meterUpdate(input: $input) {
  meter { dimensions progress { pendingEvents dimensionsPendingEvents } }
  userErrors { code path message } } }"""
GROUPS = """
query ($id: ID!, $by: [String!], $only: [DimensionValueInput!], $who: String) {
  meter(id: $id) {
    dimensions
    quantities(start: "2026-03-01T00:00:00Z", end: "2026-03-03T00:00:00Z", interval: DAY,
               externalCustomerId: $who, groupBy: $by, only: $only) {
      total points { quantity }
      groups { isOther values { property value } total points { start quantity } }
    }
  }
}
"""


OWN_GROUPS = """
query ($who: String) {
  viewer { meters(first: 1) { nodes { meter {
    quantities(start: "2026-03-01T00:00:00Z", end: "2026-03-03T00:00:00Z", interval: DAY,
               externalCustomerId: $who, groupBy: ["model"]) {
      groups { values { value } total }
    }
  } } } }
}
"""


async def meter_by(api: Api, *dimensions: str) -> str:
    made = await create_meter(api, dimensions=list(dimensions))
    assert made["userErrors"] == []
    id_: str = made["meter"]["id"]
    return id_


async def use(organization: Organization) -> None:
    await send(
        organization.id,
        {"metadata": {"tokens": 1, "model": "gpt", "usage": {"kind": "in"}}},
        {"metadata": {"tokens": 2, "model": "gpt", "usage": {"kind": "out"}}},
        {"metadata": {"tokens": 4, "model": Decimal("4.10")}, "timestamp": NOON.replace(day=2)},
        {"metadata": {"tokens": 8}, "externalCustomerId": "c2"},
    )
    await drain(organization.id)


async def groups(api: Api, id_: str, **asked: Any) -> Any:
    return (await api.get(GROUPS, id=id_, **asked))["meter"]["quantities"]


def shown(found: Any) -> list[tuple[list[str | None], str]]:
    return [
        ([value["value"] for value in group["values"]], group["total"]) for group in found["groups"]
    ]


async def test_usage_is_grouped_by_dimensions(api: Api, organization: Organization) -> None:
    meter = await meter_by(api, "model", "usage.kind")
    await use(organization)

    found = await groups(api, meter, by=["model"])
    assert found["total"] == "15"
    assert shown(found) == [([None], "8"), (["4.1"], "4"), (["gpt"], "3")]
    assert found["groups"][2] == {
        "isOther": False,
        "values": [{"property": "model", "value": "gpt"}],
        "total": "3",
        "points": [
            {"start": "2026-03-01T00:00:00Z", "quantity": "3"},
            {"start": "2026-03-02T00:00:00Z", "quantity": "0"},
        ],
    }
    both = await groups(api, meter, by=["usage.kind", "model"], who="c1")
    assert shown(both) == [([None, "4.1"], "4"), (["out", "gpt"], "2"), (["in", "gpt"], "1")]
    only = [{"property": "model", "value": "gpt"}, {"property": "model", "value": None}]
    some = await groups(api, meter, by=["usage.kind"], only=only)
    assert (shown(some), some["total"]) == ([([None], "8"), (["out"], "2"), (["in"], "1")], "11")
    assert [point["quantity"] for point in some["points"]] == ["11", "0"]
    total = await groups(api, meter, only=only)
    assert (total["groups"], total["total"]) == ([], "11")
    assert (await groups(api, meter))["groups"] == []
    assert (await groups(api, meter, by=[], only=[]))["total"] == "15"


async def test_a_session_sees_its_own_groups(api: Api, organization: Organization) -> None:
    meter = await meter_by(api, "model")
    await use(organization)
    own = await api.session("c2")
    found = (await own.get(OWN_GROUPS))["viewer"]["meters"]["nodes"][0]["meter"]["quantities"]
    assert shown(found) == [([None], "8")]
    assert (await own.codes(OWN_GROUPS, who="c1")) == ["NOT_FOUND"]
    assert (await own.codes(GROUPS, id=meter, by=["model"])) == ["FORBIDDEN"]


async def test_another_organization_has_no_groups(
    api: Api, other_api: Api, organization: Organization
) -> None:
    meter = await meter_by(api, "model")
    await use(organization)
    assert (await other_api.get(GROUPS, id=meter, by=["model"]))["meter"] is None
    foreign = await meter_by(other_api, "model")
    assert (await groups(other_api, foreign, by=["model"]))["groups"] == []


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"by": ["region"]}, "groupBy"),
        ({"by": ["model", "metadata.model"]}, "groupBy"),
        ({"by": ["model"] * 6}, "groupBy"),
        ({"by": ["\0"]}, "groupBy"),
        ({"by": ["x" * 100_000]}, "groupBy"),
        ({"only": [{"property": "region", "value": "eu"}]}, "only"),
        ({"only": [{"property": "model", "value": "\0"}]}, "only"),
        ({"only": [{"property": "model", "value": "x" * 1_001}]}, "only"),
        ({"only": [{"property": "model", "value": "x"}] * 101}, "only"),
    ],
)
async def test_impossible_groupings_are_refused(api: Api, asked: Any, path: str) -> None:
    meter = await meter_by(api, "model")
    (error,) = (await api.ask(GROUPS, id=meter, **asked))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"].get("path", error["path"])[-1] in {path, "quantities"}


@pytest.mark.parametrize(
    ("dimensions", "code", "path"),
    [
        (["a", "b", "c", "d", "e", "f"], "LIMIT_EXCEEDED", ["dimensions"]),
        ([""], "INVALID", ["dimensions", "0"]),
        (["model", "x" * 257], "INVALID", ["dimensions", "1"]),
        (["\0"], "INVALID", ["dimensions", "0"]),
        (["timestamp"], "INVALID", ["dimensions", "0"]),
        (["model", "metadata.model"], "INVALID", ["dimensions", "1"]),
        (["metadata."], "INVALID", ["dimensions", "0"]),
    ],
)
async def test_impossible_dimensions_are_refused(
    api: Api, dimensions: list[str], code: str, path: list[str]
) -> None:
    refused = await create_meter(api, dimensions=dimensions)
    assert refused["meter"] is None
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [(code, path)]
    meter = await meter_by(api, "model")
    changed = (await api.get(UPDATE, input={"id": meter, "dimensions": dimensions}))["meterUpdate"]
    assert [(error["code"], error["path"]) for error in changed["userErrors"]] == [(code, path)]


async def test_dimensions_of_a_locked_meter_change(api: Api, organization: Organization) -> None:
    meter = await meter_by(api)
    await use(organization)
    changed = (await api.get(UPDATE, input={"id": meter, "dimensions": ["model"]}))["meterUpdate"]
    assert changed["userErrors"] == []
    assert changed["meter"] == {
        "dimensions": ["model"],
        "progress": {"pendingEvents": 0, "dimensionsPendingEvents": 4},
    }
    assert (await groups(api, meter, by=["model"]))["total"] == "15"
    await catch_up_all(organization.id)
    assert shown(await groups(api, meter, by=["model"])) == [
        ([None], "8"),
        (["4.1"], "4"),
        (["gpt"], "3"),
    ]
    # Nothing is counted again for dimensions that stay as they are.
    same = {"id": meter, "name": "Other", "dimensions": ["model"]}
    changed = (await api.get(UPDATE, input=same))["meterUpdate"]
    assert changed["meter"]["progress"]["dimensionsPendingEvents"] == 0
    unchanged = (await api.get(UPDATE, input={"id": meter, "name": "New"}))["meterUpdate"]
    assert unchanged["meter"]["dimensions"] == ["model"]


async def test_a_repeated_creation_makes_one_meter(api: Api, organization: Organization) -> None:
    key = {"idempotencyKey": "one"}
    first = await create_meter(api, dimensions=["model"], **key)
    again = await create_meter(api, dimensions=["model"], **key)
    assert again == first
    other = await create_meter(api, dimensions=["region"], **key)
    assert [error["code"] for error in other["userErrors"]] == ["CONFLICT"]
    assert await Meter.filter(organization_id=organization.id).count() == 1
