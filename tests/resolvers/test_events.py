"""Events by query: listed, filtered, of customers and meters, and their names."""

from datetime import datetime
from typing import Any

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter, to_json
from metering.meters import archive_meter, create_meter
from models import Meter, Organization
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.ingesting import NOON, drain, send
from tests.resolvers.events import LIST, event, ingest, names


async def test_a_list_shows_the_latest_first_and_pages(
    api: Api, organization: Organization
) -> None:
    await send(organization.id, *[{"name": name} for name in "abc"])
    await send(organization.id, {"name": "d", "timestamp": NOON.replace(hour=11)})
    first = (await api.get(LIST, first=2))["events"]
    assert [node["name"] for node in first["nodes"]] == ["c", "b"]
    await send(organization.id, {"name": "new", "timestamp": NOON.replace(hour=13)})
    second = (await api.get(LIST, first=5, after=first["pageInfo"]["endCursor"]))["events"]
    assert [node["name"] for node in second["nodes"]] == ["a", "d"]
    assert second["pageInfo"]["hasNextPage"] is False
    last = (await api.get(LIST, last=2))["events"]
    assert [node["name"] for node in last["nodes"]] == ["a", "d"]


async def test_events_are_filtered_by_every_field(api: Api, organization: Organization) -> None:
    await send(
        organization.id,
        {"name": "a", "externalCustomerId": "c1", "metadata": {"tokens": 5}},
        {"name": "b", "externalCustomerId": "c2", "timestamp": NOON.replace(hour=13)},
        {"name": "c", "externalCustomerId": "c2", "timestamp": NOON.replace(hour=14)},
    )
    c2 = (await api.get('{ customer(externalId: "c2") { id } }'))["customer"]["id"]
    assert await names(api) == ["c", "b", "a"]
    assert await names(api, names=["a", "c"]) == ["c", "a"]
    assert await names(api, names=[]) == []
    assert await names(api, names=["\0"]) == []
    assert await names(api, externalCustomerId="c2") == ["c", "b"]
    assert await names(api, customerId=c2) == ["c", "b"]
    assert await names(api, customerId=c2, externalCustomerId="c2") == ["c", "b"]
    assert await names(api, customerId=c2, externalCustomerId="c1") == []
    assert await names(api, customerId="nonsense") == []
    assert await names(api, externalCustomerId="nobody") == []
    assert await names(api, start="2026-03-01T13:00:00Z") == ["c", "b"]
    assert await names(api, end="2026-03-01T13:00:00Z") == ["a"]
    assert await names(api, start="2026-03-01T13:00:00Z", end="2026-03-01T14:00:00Z") == ["b"]
    clause = {"property": "tokens", "operator": "GREATER_THAN", "value": 4}
    assert await names(api, where={"clauses": [{"clause": clause}]}) == ["a"]
    typed = {"property": "tokens", "operator": "EQUALS", "text": "5"}
    assert await names(api, where={"clauses": [{"clause": typed}]}) == ["a"]


async def test_an_invalid_filter_is_a_bad_request(api: Api) -> None:
    clause = {"property": "a", "operator": "EQUALS", "value": 1, "text": "1"}
    answer = await api.ask(LIST, filter={"where": {"clauses": [{"clause": clause}]}})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    path = answer["errors"][0]["extensions"]["path"]
    assert path[:3] == ["filter", "where", "clauses"]


async def test_a_customer_s_events_stay_its_own(api: Api, organization: Organization) -> None:
    await send(
        organization.id,
        {"name": "a", "externalCustomerId": "c1"},
        {"name": "b", "externalCustomerId": "c2"},
    )
    query = """query ($filter: EventFilter) { customer(externalId: "c1") {
        events(filter: $filter) { nodes { name } totalCount } } }"""
    own = {"customer": {"events": {"nodes": [{"name": "a"}], "totalCount": 1}}}
    none = {"customer": {"events": {"nodes": [], "totalCount": 0}}}
    assert await api.get(query) == own
    assert await api.get(query, filter={"externalCustomerId": "c1"}) == own
    assert await api.get(query, filter={"externalCustomerId": "c2"}) == none


async def test_a_meter_and_its_events_name_each_other(api: Api, organization: Organization) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    clause = Clause("name", ClauseOperator.EQUALS, "a")
    meter = await create_meter(organization.id, "a's", None, Filter(clauses=(clause,)), count)
    everything = await create_meter(organization.id, "all", None, Filter(), count)
    await send(organization.id, {"name": "a"}, {"name": "b"})
    query = "query ($id: ID!) { meter(id: $id) { events { nodes { name meters { name } } } } }"
    found = await api.get(query, id=encode_id("Meter", meter.id))
    assert found["meter"]["events"]["nodes"] == [
        {"name": "a", "meters": [{"name": "a's"}, {"name": "all"}]}
    ]
    assert await names(api, meterId=encode_id("Meter", meter.id)) == ["a"]
    assert await names(api, meterId=encode_id("Meter", everything.id)) == ["b", "a"]
    assert await names(api, meterId="nonsense") == []


async def test_an_event_names_all_of_two_thousand_meters(
    api: Api, organization: Organization
) -> None:
    named = [Filter(clauses=(Clause("name", ClauseOperator.EQUALS, name),)) for name in "ab"]
    await Meter.bulk_create(
        Meter(
            organization_id=organization.id,
            name=f"{number}",
            position=0,
            event_filter=to_json(named[number % 2] if number % 4 else Filter()),
            event_names=["ab"[number % 2]] if number % 4 else None,
            aggregation_function="COUNT",
        )
        for number in range(2_000)
    )
    await send(organization.id, {"name": "a"}, {"name": "b"})
    found = await api.get("{ events { nodes { name meters { name } } } }")
    assert {
        node["name"]: [meter["name"] for meter in node["meters"]]
        for node in found["events"]["nodes"]
    } == {
        name: [f"{number}" for number in range(2_000) if number % 4 == 0 or number % 2 == place]
        for place, name in enumerate("ab")
    }


async def test_an_archived_meter_has_the_events_that_it_looked_at(
    api: Api, organization: Organization
) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    meter = await create_meter(organization.id, "all", None, Filter(), count)
    await send(organization.id, {"name": "before"})
    await drain(organization.id)

    async def unused(*_arguments: Any) -> None:
        """Nothing needs the meter."""

    await archive_meter(organization.id, meter.id, unused)
    await send(organization.id, {"name": "after"})
    assert await names(api, meterId=encode_id("Meter", meter.id)) == ["before"]
    found = await api.get("{ events { nodes { name meters { name } } } }")
    assert found["events"]["nodes"] == [
        {"name": "after", "meters": []},
        {"name": "before", "meters": [{"name": "all"}]},
    ]


async def test_an_event_says_when_it_was_counted(api: Api, organization: Organization) -> None:
    await send(organization.id, {})
    query = "{ events { nodes { receivedAt processedAt } } }"
    assert (await api.get(query))["events"]["nodes"][0]["processedAt"] is None
    await drain(organization.id)
    node = (await api.get(query))["events"]["nodes"][0]
    received, processed = (
        datetime.fromisoformat(node[name]) for name in ("receivedAt", "processedAt")
    )
    assert processed >= received


async def test_an_event_of_a_foreign_customer_is_rejected(api: Api, other_api: Api) -> None:
    await ingest(other_api, event(externalId="e1"))
    # Its external id is free in another organization.
    assert (await ingest(api, event(externalId="e1", metadata={"other": 1})))["inserted"] == 1
    customer = (await other_api.get("{ customers { nodes { id } } }"))["customers"]["nodes"][0]
    refused = await ingest(api, {"name": "a", "customerId": customer["id"]})
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"


async def test_event_names_are_listed_and_searched(api: Api, organization: Organization) -> None:
    await send(
        organization.id,
        {"name": "ai_usage", "metadata": {"tokens": 1, "model": "m"}},
        {"name": "ai_usage", "metadata": {"tokens": 2}, "timestamp": NOON.replace(hour=14)},
        {"name": "upload"},
    )
    await drain(organization.id)
    query = "query ($q: String) { eventNames(query: $q) { name occurrences firstSeenAt lastSeenAt"
    query += " metadataKeys } }"
    assert (await api.get(query))["eventNames"] == [
        {
            "name": "ai_usage",
            "occurrences": 2,
            "firstSeenAt": "2026-03-01T12:00:00Z",
            "lastSeenAt": "2026-03-01T14:00:00Z",
            "metadataKeys": ["tokens", "model"],
        },
        {
            "name": "upload",
            "occurrences": 1,
            "firstSeenAt": "2026-03-01T12:00:00Z",
            "lastSeenAt": "2026-03-01T12:00:00Z",
            "metadataKeys": [],
        },
    ]
    assert [n["name"] for n in (await api.get(query, q="UP"))["eventNames"]] == ["upload"]
    assert (await api.get(query, q="%"))["eventNames"] == []
    assert (await api.get(query, q="\0"))["eventNames"] == []
