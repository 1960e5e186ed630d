"""Alerts through the API: made, changed, deleted, listed, followed; and what is refused."""

from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.alerts import life
from models import Organization
from models.identifiers import new_id
from schema.context import Scope
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.resolvers.alerting import CREATE, DELETE, UPDATE, consumed, create, token_meter, use
from tests.serving import new_token


@pytest.fixture
async def meter(api: Api, organization: Organization) -> str:
    return await token_meter(api, organization)


async def test_an_alert_is_made_triggers_is_changed_and_deleted(
    api: Api, organization: Organization, meter: str
) -> None:
    await use(organization, "acme", 8)
    alert = await create(api, consumed(meter, "10.50"))
    assert alert["triggers"] == {"totalCount": 0, "nodes": []}
    assert (alert["threshold"], alert["enabled"], alert["customer"]) == ("10.5", True, None)
    assert alert["meter"] == {"id": meter}
    await use(organization, "acme", 4)
    found = await api.get(
        'query ($id: ID!) { customer(externalId: "acme") { alertTriggers { nodes {'
        " id value periodStart alert { id } } } } node(id: $id) { ... on UsageAlert { name } }"
        " usageAlerts { nodes { id } } }",
        id=alert["id"],
    )
    [trigger] = found["customer"]["alertTriggers"]["nodes"]
    assert trigger.pop("id")
    assert trigger == {"value": "12", "periodStart": None, "alert": {"id": alert["id"]}}
    assert found["node"] == {"name": "much"}
    assert found["usageAlerts"]["nodes"] == [{"id": alert["id"]}]
    changes = {"id": alert["id"], "name": "more", "threshold": "20", "enabled": False}
    changed = (await api.get(UPDATE, input=changes))["usageAlertUpdate"]
    assert changed["alert"] == {**changes, "triggers": {"totalCount": 1}}
    assert (await api.get(DELETE, id=alert["id"]))["usageAlertDelete"] == {
        "deletedId": alert["id"],
        "userErrors": [],
    }
    again = (await api.get(DELETE, id=alert["id"]))["usageAlertDelete"]
    assert again == {"deletedId": None, "userErrors": [{"code": "NOT_FOUND", "path": ["id"]}]}


async def test_one_that_is_reached_already_shows_its_triggers_in_the_answer(
    api: Api, organization: Organization, meter: str
) -> None:
    await use(organization, "acme", 11)
    await use(organization, "globex", 12)
    alert = await create(api, consumed(meter, externalCustomerId="acme"))
    assert alert["customer"] == {"externalId": "acme"}
    node = {"value": "11", "periodStart": None, "customer": {"externalId": "acme"}}
    assert alert["triggers"] == {"totalCount": 1, "nodes": [node]}
    listed = await api.get(
        "query ($meter: ID!, $other: ID!) {"
        " of_meter: usageAlerts(meterId: $meter) { totalCount }"
        " of_other: usageAlerts(meterId: $other) { totalCount }"
        " of_customer: usageAlerts(customerId: $other) { totalCount } }",
        meter=meter,
        other=encode_id("Meter", new_id()),
    )
    assert [one["totalCount"] for one in listed.values()] == [1, 0, 0]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"threshold": "0"}, "INVALID", ["threshold"]),
        ({"threshold": "-1"}, "INVALID", ["threshold"]),
        ({"threshold": "0.0000000000001"}, "INVALID", ["threshold"]),
        ({"threshold": "9" * 38}, "LIMIT_EXCEEDED", ["threshold"]),
        ({"kind": "CREDIT_BALANCE", "threshold": "-" + "9" * 38}, "LIMIT_EXCEEDED", ["threshold"]),
        ({"kind": "CREDIT_USED_PERCENT", "threshold": "-80"}, "INVALID", ["threshold"]),
        ({"kind": "CREDIT_USED_PERCENT", "threshold": "80.1234567"}, "INVALID", ["threshold"]),
        ({"meterId": None}, "INVALID", ["meterId"]),
        ({"meterId": "nothing"}, "NOT_FOUND", ["meterId"]),
        ({"customerId": "nothing"}, "NOT_FOUND", ["customerId"]),
        ({"externalCustomerId": "nobody"}, "NOT_FOUND", ["externalCustomerId"]),
        ({"externalCustomerId": "a", "customerId": "b"}, "INVALID", []),
        ({"name": ""}, "INVALID", ["name"]),
        ({"name": " "}, "INVALID", ["name"]),
        ({"name": "x" * 257}, "LIMIT_EXCEEDED", ["name"]),
        ({"name": "a\0b"}, "INVALID", ["name"]),
        ({"currency": "USD"}, "INVALID", ["currency"]),
    ],
)
async def test_what_makes_no_sense_is_refused(
    api: Api, meter: str, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    made = (await api.get(CREATE, input={**consumed(meter), **changes}))["usageAlertCreate"]
    assert (made["alert"], made["userErrors"]) == (None, [{"code": code, "path": path}])
    assert (await api.get("{ usageAlerts { totalCount } }"))["usageAlerts"]["totalCount"] == 0


@pytest.mark.parametrize("threshold", ["NaN", "Infinity", "1e100000000", "1" * 39])
async def test_what_is_no_decimal_is_no_threshold(api: Api, meter: str, threshold: str) -> None:
    answer = await api.ask(CREATE, input=consumed(meter, threshold))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    raw = '{"query": "mutation ($input: UsageAlertCreateInput!) { usageAlertCreate(input: $input)'
    raw += ' { userErrors { code } } }", "variables": {"input": {"name": "x", "kind":'
    raw += f' "CONSUMED_UNITS", "meterId": "{meter}", "threshold": {threshold}}}}}'
    response = await api.post(raw)
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_USER_INPUT", "BAD_REQUEST"}


async def test_the_thresholds_of_changes_are_checked_by_the_kind(api: Api, meter: str) -> None:
    alert = await create(api, consumed(meter, "80", kind="CREDIT_USED_PERCENT"))
    for sent, problem in (
        ({"threshold": "-1"}, {"code": "INVALID", "path": ["threshold"]}),
        ({"threshold": "1.0000001"}, {"code": "INVALID", "path": ["threshold"]}),
        ({"name": ""}, {"code": "INVALID", "path": ["name"]}),
    ):
        payload = (await api.get(UPDATE, input={"id": alert["id"], **sent}))["usageAlertUpdate"]
        assert (payload["alert"], payload["userErrors"]) == (None, [problem])


async def test_a_meter_has_a_limited_number_of_alerts(
    api: Api, organization: Organization, meter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "MOST_OF_ALL_CUSTOMERS", 2)
    monkeypatch.setattr(life, "MOST_OF_ONE_CUSTOMER", 1)
    await use(organization, "acme", 1)
    for _ in range(2):
        await create(api, consumed(meter))
    await create(api, consumed(meter, externalCustomerId="acme"))
    for more in ({}, {"externalCustomerId": "acme"}):
        made = (await api.get(CREATE, input=consumed(meter, **more)))["usageAlertCreate"]
        assert [error["code"] for error in made["userErrors"]] == ["LIMIT_EXCEEDED"]


async def test_reading_and_writing_alerts_have_scopes_of_their_own(
    api: Api, organization: Organization, meter: str
) -> None:
    reader = api.with_secret(await new_token(organization, Scope.ALERTS_READ))
    writer = api.with_secret(await new_token(organization, Scope.ALERTS_WRITE))
    alert = await create(api, consumed(meter))
    assert await reader.codes("{ usageAlerts { nodes { name triggers { totalCount } } } }") == []
    assert await reader.codes("{ usageAlerts { nodes { meter { name } } } }") == ["FORBIDDEN"]
    assert await reader.codes(DELETE, id=alert["id"]) == ["FORBIDDEN"]
    assert await writer.codes("{ usageAlerts { totalCount } }") == ["FORBIDDEN"]
    assert await writer.codes(CREATE, input=consumed(meter)) == ["FORBIDDEN"]
    assert await writer.codes(DELETE, id=alert["id"]) == []


async def test_a_customer_s_session_sees_no_alerts(
    api: Api, organization: Organization, meter: str
) -> None:
    await use(organization, "acme", 11)
    await create(api, consumed(meter))
    opened = await api.get(
        'mutation { customerSessionCreate(input: {externalCustomerId: "acme"}) { token } }'
    )
    session = api.with_secret(opened["customerSessionCreate"]["token"])
    assert await session.codes("{ usageAlerts { totalCount } }") == ["FORBIDDEN"]
    assert await session.codes("{ viewer { alertTriggers { totalCount } } }") == ["FORBIDDEN"]


async def test_an_alert_is_read_by_its_organization_only(
    api: Api, other_api: Api, organization: Organization, meter: str, database: BaseDBAsyncClient
) -> None:
    alert = await create(api, consumed(meter))
    assert (await other_api.get("query ($id: ID!) { node(id: $id) { id } }", id=alert["id"])) == {
        "node": None
    }
    for document, sent in (
        (UPDATE, {"input": {"id": alert["id"], "name": "stolen"}}),
        (DELETE, {"id": alert["id"]}),
    ):
        [payload] = (await other_api.get(document, **sent)).values()
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    assert (await other_api.get(CREATE, input=consumed(meter)))["usageAlertCreate"][
        "userErrors"
    ] == [{"code": "NOT_FOUND", "path": ["meterId"]}]
    rows = await database.execute_query_dict(
        "SELECT name FROM usage_alert WHERE organization_id = $1", [organization.id]
    )
    assert rows == [{"name": "much"}]
