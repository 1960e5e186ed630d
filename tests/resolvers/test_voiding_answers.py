"""eventsVoid: what it answers, what it refuses, who may call it, and which events lists show."""

from typing import Any

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.auditing import entries
from tests.resolvers.events import ingest
from tests.resolvers.voiding import VOID, counted, shown, used, void
from tests.serving import new_token

__all__ = ["counted"]  # a fixture


async def test_the_answer_names_the_ids_that_no_event_has(
    api: Api, other_api: Api, counted: list[str]
) -> None:
    foreign = (await ingest(other_api, used(7, 9)))["receipts"][0]["eventId"]
    customer = (await api.get('{ customer(externalId: "c1") { id } }'))["customer"]["id"]
    text = """
    mutation ($input: EventsVoidInput!) {
      eventsVoid(input: $input) {
        voided notFound notFoundIds notFoundExternalIds userErrors { code }
      }
    }
    """
    sent = {
        "reason": "sent twice",
        "ids": [foreign, counted[0], "nonsense", customer, foreign, ""],
        "externalIds": ["later", "e0", "e1", "e9", "", "later", "\0", " e2", "E2"],
    }
    expected = {
        "voided": 2,
        "notFound": 10,
        "notFoundIds": [foreign, "nonsense", customer, ""],
        "notFoundExternalIds": ["later", "e9", "", "\0", " e2", "E2"],
        "userErrors": [],
    }
    assert (await api.get(text, input=sent))["eventsVoid"] == expected
    # Those of the other organization are as they were.
    assert await void(other_api, ids=[foreign]) == [1, 0, 0]
    assert (await api.get(text, input=sent))["eventsVoid"] == {**expected, "voided": 0}
    refused = (await api.get(text, input={**sent, "reason": ""}))["eventsVoid"]
    assert (refused["notFoundIds"], refused["notFoundExternalIds"]) == ([], [])


async def test_as_many_ids_as_a_call_may_name_go_into_variables_of_their_own(
    api: Api, counted: list[str]
) -> None:
    text = """
    mutation ($ids: [ID!], $externalIds: [String!]) {
      eventsVoid(input: {ids: $ids, externalIds: $externalIds, reason: "sent twice"}) {
        voided notFound userErrors { code }
      }
    }
    """
    unknown = [f"unknown-{number}" for number in range(9_999)]
    found = await api.get(text, ids=counted[:1], externalIds=unknown)
    assert found["eventsVoid"] == {"voided": 1, "notFound": 9_999, "userErrors": []}
    more = await api.get(text, ids=counted[:2], externalIds=unknown)
    assert more["eventsVoid"]["userErrors"] == [{"code": "LIMIT_EXCEEDED"}]


async def test_invalid_calls_void_nothing(api: Api, counted: list[str]) -> None:
    def errors(found: Any) -> list[tuple[str, list[str]]]:
        return [(error["code"], error["path"]) for error in found]

    assert errors(await void(api)) == [("INVALID", [])]
    assert errors(await void(api, ids=[], externalIds=[])) == [("INVALID", [])]
    for reason, code in (
        ("", "INVALID"),
        (" ", "INVALID"),
        ("\0", "INVALID"),
        ("x" * 1001, "LIMIT_EXCEEDED"),
    ):
        assert errors(await void(api, ids=counted, reason=reason)) == [(code, ["reason"])]
    many = [f"x{number}" for number in range(9_999)]
    found = await void(api, ids=counted[:2], externalIds=many)
    assert errors(found) == [("LIMIT_EXCEEDED", ["externalIds"])]
    assert (await shown(api))["total"] == "111"
    assert await void(api, ids=counted[:1], externalIds=many) == [1, 0, 9_999]


async def test_another_organizations_events_are_not_found(
    api: Api, other_api: Api, counted: list[str]
) -> None:
    await ingest(other_api, used(7, 0))
    assert await void(other_api, ids=counted, externalIds=["e0", "e1", "e2"]) == [1, 0, 6]
    assert (await shown(api))["total"] == "111"


async def test_only_who_changes_billing_may_void(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    for scopes in (
        [Scope.EVENTS_WRITE, Scope.USAGE_READ],
        [Scope.METERS_WRITE],
        [Scope.BILLING_READ],
    ):
        holder = api.with_secret(await new_token(organization, *scopes))
        assert await holder.codes(VOID, input={"ids": counted, "reason": "x"}) == ["FORBIDDEN"]
    session = await api.session("c1")
    assert await session.codes(VOID, input={"ids": counted, "reason": "x"}) == ["FORBIDDEN"]
    biller = api.with_secret(await new_token(organization, Scope.BILLING_WRITE))
    assert await void(biller, ids=counted) == [4, 0, 0]
    [entry] = [one for one in await entries(api) if one["action"] == "eventsVoid"]
    assert entry["input"] == {"ids": counted, "reason": "sent twice"}
    assert entry["object"] == {"__typename": "Event", "id": counted[0]}
    for voided in counted:
        assert [one["id"] for one in await entries(api, object=voided)] == [entry["id"]]


async def test_a_list_shows_only_voided_events_or_only_others(api: Api, counted: list[str]) -> None:
    await void(api, ids=counted[1:3])
    query = "query ($filter: EventFilter) { events(filter: $filter) { totalCount nodes { id } } }"
    meter = (await api.get("{ meters(first: 1) { nodes { id } } }"))["meters"]["nodes"][0]["id"]

    async def listed(**chosen: Any) -> list[str]:
        found = (await api.get(query, filter=chosen))["events"]
        assert found["totalCount"] == len(found["nodes"])
        return [node["id"] for node in found["nodes"]]

    assert await listed(voided=True) == [counted[2], counted[1]]
    assert await listed(voided=False) == [counted[3], counted[0]]
    assert await listed() == counted[::-1]
    assert await listed(voided=True, names=["ai_usage"], end="2026-03-01T12:02:00Z") == counted[1:2]
    assert await listed(voided=True, meterId=meter) == []
