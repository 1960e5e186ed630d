"""Customers, by query and mutation."""

from typing import Any

import pytest

from models import Customer, Organization
from tests.graphql_client import Api
from tests.ingesting import send

CREATE = """
mutation ($input: CustomerCreateInput!) {
  customerCreate(input: $input) {
    customer { id externalId name email } userErrors { code message path }
  }
}
"""
UPDATE = CREATE.replace("Create", "Update")
LIST = """
query ($first: Int, $after: String, $last: Int, $before: String, $query: String) {
  customers(first: $first, after: $after, last: $last, before: $before, query: $query) {
    nodes { externalId }
    edges { cursor node { externalId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""


async def create(api: Api, **sent: Any) -> Any:
    return (await api.get(CREATE, input=sent))["customerCreate"]


async def update(api: Api, **sent: Any) -> Any:
    return (await api.get(UPDATE, input=sent))["customerUpdate"]


def ids(connection: Any) -> list[str]:
    return [node["externalId"] for node in connection["nodes"]]


async def test_a_customer_is_created_and_found_by_either_id(api: Api) -> None:
    made = (await create(api, externalId="acme", name="Acme", email="a@acme.example"))["customer"]
    found = await api.get(
        "query ($id: ID!) { a: customer(id: $id) { id externalId name email }"
        ' b: customer(externalId: "acme") { id externalId name email } node(id: $id) { id } }',
        id=made["id"],
    )
    assert found == {"a": made, "b": made, "node": {"id": made["id"]}}


async def test_a_customer_needs_no_name(api: Api) -> None:
    made = (await create(api))["customer"]
    assert made["externalId"] is made["name"] is made["email"] is None


async def test_creating_a_customer_that_events_made_fills_it_in(
    api: Api, organization: Organization
) -> None:
    await send(organization.id, {"externalCustomerId": "c1"})
    before = await Customer.get(organization_id=organization.id, external_id="c1")
    made = await create(api, externalId="c1", name="One")
    assert made["userErrors"] == []
    assert made["customer"]["name"] == "One"
    after = await Customer.get(organization_id=organization.id, external_id="c1")
    assert (after.id, after.name) == (before.id, "One")


async def test_an_external_id_is_taken_once(api: Api, other_api: Api) -> None:
    await create(api, externalId="acme", name="Acme")
    again = await create(api, externalId="acme", name="Other")
    assert again["customer"] is None
    assert [(e["code"], e["path"]) for e in again["userErrors"]] == [
        ("ALREADY_EXISTS", ["externalId"])
    ]
    assert (await create(other_api, externalId="acme"))["userErrors"] == []


async def test_an_update_changes_what_is_sent_and_nothing_else(api: Api) -> None:
    made = (await create(api, externalId="acme", name="Acme", email="a@acme.example"))["customer"]
    assert (await update(api, id=made["id"], name="New"))["customer"] == {**made, "name": "New"}
    assert (await update(api, id=made["id"], email=None))["customer"]["email"] is None
    assert (await update(api, id=made["id"]))["customer"]["name"] == "New"


async def test_an_update_cannot_take_another_s_external_id(api: Api) -> None:
    await create(api, externalId="one")
    two = (await create(api, externalId="two"))["customer"]
    refused = await update(api, id=two["id"], externalId="one")
    assert [error["code"] for error in refused["userErrors"]] == ["ALREADY_EXISTS"]


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"externalId": ""}, [("INVALID", "externalId")]),
        ({"externalId": " "}, [("INVALID", "externalId")]),
        ({"externalId": "x" * 257}, [("LIMIT_EXCEEDED", "externalId")]),
        ({"name": "\0", "email": "x" * 321}, [("INVALID", "name"), ("LIMIT_EXCEEDED", "email")]),
        ({"name": "\t \u3000"}, [("INVALID", "name")]),
    ],
)
async def test_texts_have_limits(
    api: Api, sent: dict[str, str], errors: list[tuple[str, str]]
) -> None:
    for payload in (await create(api, **sent), await update(api, id="x", **sent)):
        assert payload["customer"] is None
        found = [(error["code"], *error["path"]) for error in payload["userErrors"]]
        assert found == errors


async def test_a_customer_with_a_blank_external_id_is_still_found(
    api: Api, organization: Organization
) -> None:
    await Customer.create(organization_id=organization.id, external_id=" ")
    found = await api.get('{ customer(externalId: " ") { externalId } }')
    assert found == {"customer": {"externalId": " "}}


async def test_a_lone_surrogate_is_refused(api: Api) -> None:
    body = '{"query": "%s", "variables": {"input": {"name": "\\ud800"}}}'
    response = await api.post(body % CREATE.replace("\n", " "))
    assert response.json()["data"]["customerCreate"]["userErrors"][0]["path"] == ["name"]


async def test_an_unknown_customer_is_not_found(api: Api) -> None:
    refused = await update(api, id="nonsense", name="Mine")
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [
        ("NOT_FOUND", ["id"])
    ]


@pytest.mark.parametrize(
    "name", ["customer", "event", "invoice", "meter", "node", "product", "subscription"]
)
async def test_a_malformed_id_names_nothing(api: Api, name: str) -> None:
    assert await api.get(f'{{ {name}(id: "?") {{ id }} }}') == {name: None}


@pytest.mark.parametrize("arguments", ["", '(id: "x", externalId: "y")'])
async def test_a_customer_is_asked_for_by_exactly_one_id(api: Api, arguments: str) -> None:
    assert await api.codes("{ customer" + arguments + " { id } }") == ["BAD_USER_INPUT"]


async def test_pages_go_forward_and_backward(api: Api) -> None:
    for name in "abcde":
        await create(api, externalId=name)
    first = (await api.get(LIST, first=2))["customers"]
    assert ids(first) == ["a", "b"]
    assert first["totalCount"] == 5
    assert [edge["node"]["externalId"] for edge in first["edges"]] == ["a", "b"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    second = (await api.get(LIST, first=2, after=first["pageInfo"]["endCursor"]))["customers"]
    assert ids(second) == ["c", "d"]
    assert second["pageInfo"]["hasNextPage"] is True
    assert second["pageInfo"]["hasPreviousPage"] is True
    third = (await api.get(LIST, first=2, after=second["pageInfo"]["endCursor"]))["customers"]
    assert ids(third) == ["e"]
    assert third["pageInfo"]["hasNextPage"] is False
    last = (await api.get(LIST, last=2))["customers"]
    assert ids(last) == ["d", "e"]
    assert last["pageInfo"]["hasPreviousPage"] is True
    before = (await api.get(LIST, last=2, before=last["pageInfo"]["startCursor"]))["customers"]
    assert ids(before) == ["b", "c"]
    between = await api.get(
        LIST, first=9, after=first["edges"][0]["cursor"], before=last["edges"][1]["cursor"]
    )
    assert ids(between["customers"]) == ["b", "c", "d"]


async def test_an_empty_page_has_no_cursors(api: Api) -> None:
    page = (await api.get(LIST))["customers"]
    assert page == {
        "nodes": [],
        "edges": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
        "totalCount": 0,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 0},
        {"first": 101},
        {"first": -1},
        {"last": 0},
        {"first": 1, "last": 1},
        {"after": "nonsense"},
        {"after": ""},
        {"after": "WyJ4Il0"},
        {"before": "W10"},
        {"after": "x" * 2000},
    ],
)
async def test_bad_pages_are_refused(api: Api, arguments: dict[str, Any]) -> None:
    assert await api.codes(LIST, **arguments) == ["BAD_USER_INPUT"]


async def test_customers_are_found_by_a_part_of_their_names(api: Api) -> None:
    await create(api, externalId="acme-1", name="Große GmbH, Köln")
    await create(api, externalId="beta", email="info@Acme.example")
    await create(api, externalId="100%_sure")
    for text, found in (
        ("ACME", ["acme-1", "beta"]),
        ("große", ["acme-1"]),
        ("kÖln", ["acme-1"]),
        ("%_", ["100%_sure"]),
        ("\0", []),
    ):
        page = (await api.get(LIST, query=text))["customers"]
        assert (ids(page), page["totalCount"]) == (found, len(found))
