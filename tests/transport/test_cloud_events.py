"""POST /events: CloudEvents in each mode become the same events that eventsIngest stores."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from config import clock
from models import Event, Organization
from schema.context import Scope
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.resolvers.events import event, ingest
from tests.serving import new_token
from tests.transport.cloud_events import (
    BATCH,
    cloud_event,
    errors,
    post,
    post_binary,
    sent_batch,
    stored,
)

STORED = {
    "name": "ai_usage",
    "externalId": "/billing/gateway e1",
    "timestamp": "2026-01-01T00:00:00.500000Z",
    "metadata": {"tokens": 12},
    "customer": {"externalId": "acme"},
}


async def test_a_structured_event_is_stored(api: Api, organization: Organization) -> None:
    response = await post(api, cloud_event(), "Application/CloudEvents+JSON; charset=UTF-8")
    row = await Event.get(organization_id=organization.id)
    assert response.json() == {
        "inserted": 1,
        "duplicates": 0,
        "conflicts": 0,
        "rejected": 0,
        "receipts": [{"index": 0, "status": "INSERTED", "eventId": encode_id("Event", row.id)}],
    }
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert await stored(api) == [STORED]


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "text/x+json", None])
async def test_a_binary_event_is_stored(api: Api, media: str | None) -> None:
    response = await post_binary(api, {"tokens": 12}, media)
    assert (response.status_code, response.json()["inserted"]) == (200, 1)
    assert await stored(api) == [STORED]


async def test_a_batch_is_stored_with_a_receipt_for_each_event(api: Api) -> None:
    response = await sent_batch(api, *(cloud_event(id=str(number)) for number in range(3)))
    assert (response.status_code, response.json()["inserted"]) == (200, 3)
    assert [receipt["index"] for receipt in response.json()["receipts"]] == [0, 1, 2]
    assert {node["externalId"] for node in await stored(api)} == {
        f"/billing/gateway {number}" for number in range(3)
    }


async def test_an_empty_batch_is_accepted(api: Api) -> None:
    response = await sent_batch(api)
    assert (response.status_code, response.json()["receipts"]) == (200, [])


async def test_numbers_keep_every_digit(api: Api) -> None:
    number = "0.1000000000000000055511151231"
    body = '{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "c",'
    assert (await post(api, f'{body} "data": {{"n": {number}}}}}')).status_code == 200
    answer = await api.post({"query": "{ events { nodes { metadata } } }"})
    assert f'"n":{number}' in answer.text.replace(": ", ":")


async def test_an_event_without_time_happened_now(api: Api) -> None:
    before = clock.now()
    assert (await post(api, cloud_event(time=None))).status_code == 200
    (node,) = await stored(api)
    shown = datetime.fromisoformat(node["timestamp"])
    # PostgreSQL's clock, which this process follows.
    assert before - timedelta(minutes=1) <= shown <= clock.now() + timedelta(minutes=1)
    # Sent again, it is the same event.
    assert (await post(api, cloud_event(time=None))).json()["duplicates"] == 1


@pytest.mark.parametrize("data", [None, {}])
async def test_an_event_needs_no_data(api: Api, data: Any) -> None:
    assert (await post(api, cloud_event(data=data))).status_code == 200
    assert (await post_binary(api, media="application/json", id="e2")).status_code == 200
    assert [node["metadata"] for node in await stored(api)] == [{}, {}]


async def test_attributes_may_be_null_and_extensions_are_ignored(api: Api) -> None:
    sent = {**cloud_event(data=None), "time": None, "data": None, "traceparent": "00-1", "n": 5}
    assert (await post(api, sent)).status_code == 200
    assert (await stored(api))[0]["metadata"] == {}


async def test_json_in_base64_is_data_if_its_type_says_so(api: Api) -> None:
    encoded = {"data": None, "data_base64": "eyAieHl6IjogMTIzIH0="}
    typed = cloud_event(**encoded, datacontenttype="application/vnd.acme+json; charset=utf-8")
    assert (await post(api, typed)).status_code == 200
    assert (await stored(api))[0]["metadata"] == {"xyz": 123}
    untyped = await post(api, cloud_event(**encoded, id="e2"))
    assert (untyped.status_code, errors(untyped)) == (400, [("INVALID", ["0", "datacontenttype"])])


async def test_an_event_is_stored_once_in_whatever_mode_it_comes_again(api: Api) -> None:
    assert (await post(api, cloud_event())).json()["inserted"] == 1
    again = [
        await post(api, cloud_event()),
        await post_binary(api, {"tokens": 12}),
        await sent_batch(api, cloud_event(), cloud_event()),
    ]
    assert [response.status_code for response in again] == [200, 200, 200]
    assert [response.json()["duplicates"] for response in again] == [1, 1, 2]
    assert len(await stored(api)) == 1


async def test_the_mutation_knows_the_same_external_id(api: Api) -> None:
    assert (await post(api, cloud_event())).status_code == 200
    same = event(
        externalId="/billing/gateway e1",
        externalCustomerId="acme",
        timestamp="2026-01-01T00:00:00.5Z",
        metadata={"tokens": 12},
    )
    assert (await ingest(api, same))["duplicates"] == 1


async def test_sources_with_spaces_do_not_share_external_ids(api: Api) -> None:
    for source, id_ in (("a", "b c"), ("a b", "c")):
        assert (await post(api, cloud_event(source=source, id=id_))).json()["inserted"] == 1
    assert {node["externalId"] for node in await stored(api)} == {"a b c", "a%20b c"}


async def test_another_event_with_the_same_source_and_id_is_refused(api: Api) -> None:
    await post(api, cloud_event())
    response = await sent_batch(api, cloud_event(data={"tokens": 13}), cloud_event(id="e2"))
    assert response.status_code == 400
    assert errors(response) == [("CONFLICT", ["0", "id"])]
    message = response.json()["errors"][0]["message"]
    assert message == "Another event has this source and id; it differs in metadata."
    answer = response.json()
    assert (answer["inserted"], answer["conflicts"]) == (1, 1)
    assert [receipt["status"] for receipt in answer["receipts"]] == ["CONFLICT", "INSERTED"]


async def test_a_bad_event_keeps_its_batch_from_being_stored(api: Api) -> None:
    sent = [cloud_event(), cloud_event(id="e2", subject=None), cloud_event(id="e3")]
    response = await sent_batch(api, *sent)
    assert response.status_code == 400
    assert errors(response) == [("INVALID", ["1", "subject"])]
    assert [receipt["status"] for receipt in response.json()["receipts"]] == [
        "SKIPPED",
        "REJECTED",
        "SKIPPED",
    ]
    assert await stored(api) == []


async def test_the_sender_may_have_the_good_events_of_a_batch_stored(api: Api) -> None:
    sent = [cloud_event(), "no event", cloud_event(id="e3")]
    response = await sent_batch(api, *sent, query="?onInvalid=SKIP_INVALID")
    assert response.status_code == 400
    assert errors(response) == [("INVALID", ["1"])]
    assert (response.json()["inserted"], response.json()["rejected"]) == (2, 1)
    assert len(await stored(api)) == 2
    unknown = await sent_batch(api, *sent, query="?onInvalid=IGNORE")
    assert (unknown.status_code, errors(unknown)) == (400, [("BAD_USER_INPUT", [])])


async def test_a_batch_may_have_as_many_events_as_a_call_of_the_mutation(api: Api) -> None:
    response = await post(api, [{}] * 10_001, BATCH)
    assert (response.status_code, errors(response)) == (413, [("TOO_COMPLEX", [])])
    assert "10,000" in response.json()["errors"][0]["message"]


async def test_only_a_token_that_may_send_events_is_accepted(
    api: Api, organization: Organization
) -> None:
    sender = api.with_secret(await new_token(organization, Scope.EVENTS_WRITE))
    reader = api.with_secret(await new_token(organization, Scope.USAGE_READ, Scope.BILLING_WRITE))
    session = await api.session("acme")
    found = [
        await post(caller, cloud_event())
        for caller in (sender, reader, session, api.anonymous, api.with_secret("mg_nobody"))
    ]
    assert [response.status_code for response in found] == [200, 403, 403, 401, 401]
    assert errors(found[1]) == errors(found[2]) == [("FORBIDDEN", [])]
    assert "EVENTS_WRITE" in found[1].json()["errors"][0]["message"]
    assert [response.headers["www-authenticate"] for response in found[3:]] == ["Bearer"] * 2


async def test_organizations_do_not_share_external_ids_or_customers(
    api: Api, other_api: Api
) -> None:
    for caller in (api, other_api):
        response = await post(caller, cloud_event())
        assert response.json()["inserted"] == 1
        assert await stored(caller) == [STORED]
    own = (await api.get("{ customers { nodes { id } } }"))["customers"]["nodes"]
    other = (await other_api.get("{ customers { nodes { id } } }"))["customers"]["nodes"]
    assert len(own) == len(other) == 1
    assert own != other
