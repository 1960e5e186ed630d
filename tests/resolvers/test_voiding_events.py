"""eventsVoid: what is left of the events, once and for all."""

import asyncio

from tortoise.backends.base.client import BaseDBAsyncClient

from models import Customer, EventLog, EventVoid, Meter, Organization
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import catch_up_all, drain
from tests.metering.test_audit import audit, drifted
from tests.resolvers.events import ingest
from tests.resolvers.token_meter import create_meter
from tests.resolvers.voiding import counted, shown, used, void

EVENTS = """{ events { totalCount nodes {
  id externalId voidedAt voidReason metadata processedAt meters { id } } } }"""
RECEIPTS = """
mutation ($input: EventsIngestInput!) {
  eventsIngest(input: $input) {
    inserted duplicates conflicts receipts { status eventId voidedAt }
  }
}
"""

__all__ = ["counted"]  # a fixture


async def test_voided_events_count_nowhere_and_stay_visible(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    before = await shown(api)
    assert before["total"] == before["consumed"][0] == "111"
    log = await EventLog.get(organization_id=organization.id)

    # One event by both of its ids, one by its external id twice, and some that do not exist.
    answer = await void(
        api,
        ids=[counted[1], counted[3], counted[3], "nonsense"],
        externalIds=["e1", "e2", "e2", "never", "\0"],
    )

    assert answer == [3, 0, 3]
    assert await shown(api) == {
        "counted": 1,
        "skipped": 0,
        "total": "1",
        "top": ["1"],
        "consumed": ["1"],
    }
    after = await EventLog.get(organization_id=organization.id)
    assert (after.head, after.events) == (log.head + 1, log.events)
    listed = (await api.get(EVENTS))["events"]
    assert listed["totalCount"] == 4
    by_id = {row["externalId"]: row for row in listed["nodes"]}
    assert [by_id[f"e{number}"]["voidReason"] for number in range(4)] == [None, *["sent twice"] * 3]
    assert by_id["e0"]["voidedAt"] is None
    assert by_id["e1"]["voidedAt"] is not None
    assert (by_id["e1"]["metadata"], by_id["e1"]["meters"]) == ({"tokens": 10}, [])
    assert len(by_id["e0"]["meters"]) == 1
    meter = await Meter.get(organization_id=organization.id)
    of_meter = "query ($id: ID) { events(filter: {meterId: $id}) { nodes { externalId } } }"
    found = await api.get(of_meter, id=encode_id("Meter", meter.id))
    assert [row["externalId"] for row in found["events"]["nodes"]] == ["e0"]
    await audit(organization)
    assert await drifted(organization) == set()


async def test_voiding_again_changes_nothing(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    assert await void(api, ids=counted[:2]) == [2, 0, 0]
    before, log = await shown(api), await EventLog.get(organization_id=organization.id)
    assert await void(api, ids=counted[:2], reason="again") == [0, 2, 0]
    assert await shown(api) == before
    after = await EventLog.get(organization_id=organization.id)
    assert (after.head, after.revision) == (log.head, log.revision)
    rows = await EventVoid.filter(organization_id=organization.id)
    assert {row.reason for row in rows} == {"sent twice"}


async def test_calls_at_once_void_each_event_once(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    answers = await asyncio.gather(
        *(void(api, ids=ids) for ids in (counted[:2], counted[1:3], counted[:3], counted[:1]))
    )
    assert sum(voided for voided, _already, _missing in answers) == 3
    assert sum(already for _voided, already, _missing in answers) == 5
    assert (await shown(api))["consumed"] == ["0"]
    assert await EventVoid.filter(organization_id=organization.id).count() == 3


async def test_an_event_that_is_voided_before_it_is_counted_never_is(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    found = await ingest(api, used(1_000, 4), used(10_000, 5))
    assert await void(api, ids=[found["receipts"][0]["eventId"]]) == [1, 0, 0]
    await drain(organization.id)
    assert (await shown(api))["total"] == (await shown(api))["consumed"][0] == "10111"
    await create_meter(api, name="Later")
    await catch_up_all(organization.id)
    later = await Meter.get(organization_id=organization.id, name="Later")
    assert (later.counted_events, later.skipped_events) == (4, 1)
    names = "{ eventNames { name occurrences } }"
    assert await api.get(names) == {"eventNames": [{"name": "ai_usage", "occurrences": 5}]}


async def test_sending_a_voided_event_again_says_that_it_is_voided(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    await void(api, externalIds=["e1"])
    sent = [used(1, 0), used(10, 1), {**used(10, 1), "name": "other"}]
    found = (await api.get(RECEIPTS, input={"events": sent}))["eventsIngest"]
    assert [row["status"] for row in found["receipts"]] == ["DUPLICATE", "DUPLICATE", "CONFLICT"]
    first, second, third = (row["voidedAt"] for row in found["receipts"])
    assert first is None
    assert second == third is not None
    await drain(organization.id)
    assert (await shown(api))["total"] == "101"


async def test_events_of_an_erased_customer_can_be_voided(
    api: Api, organization: Organization, counted: list[str]
) -> None:
    erase = 'mutation { customerErase(input: {externalCustomerId: "c1"}) { userErrors { code } } }'
    assert await api.get(erase) == {"customerErase": {"userErrors": []}}
    assert await void(api, ids=counted[1:]) == [3, 0, 0]
    customer = await Customer.get(organization_id=organization.id)
    query = "query ($id: ID!) { customer(id: $id) { meters { nodes { consumedUnits } } } }"
    found = await api.get(query, id=encode_id("Customer", customer.id))
    assert found["customer"]["meters"]["nodes"] == [{"consumedUnits": "1"}]


async def test_subscribers_hear_of_it_by_a_new_revision(
    api: Api, database: BaseDBAsyncClient, organization: Organization, counted: list[str]
) -> None:
    [before] = await database.execute_query_dict(
        "SELECT revision FROM customer_meter WHERE organization_id = $1", [organization.id]
    )
    await void(api, ids=counted[:1])
    log = await EventLog.get(organization_id=organization.id)
    [after] = await database.execute_query_dict(
        """
        SELECT known.revision, noted.revision AS noted FROM customer_meter known
        JOIN usage_change noted ON noted.organization_id = $1 AND known.id = ANY(noted.ids)
        WHERE known.organization_id = $1 ORDER BY noted.revision DESC LIMIT 1
        """,
        [organization.id],
    )
    assert before["revision"] < after["revision"] == after["noted"] == log.revision
