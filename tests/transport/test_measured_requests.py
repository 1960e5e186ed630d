"""How long requests took and which errors they got, as /metrics shows it."""

import pytest
from starlette.applications import Starlette

from tests.graphql_client import Api
from tests.websocket_client import USAGE, connected
from transport.measured_requests import BOUNDS, CODES, MeasuredRequests, RequestKind

QUERY = "{ organization { slug } }"
MUTATION = "mutation { customerCreate(input: {}) { userErrors { code } } }"
INGEST = """mutation { eventsIngest(input: {events: [{name: "n", externalCustomerId: "c"}]}) {
  inserted } }"""
QUERIES, MUTATIONS, EVENTS = RequestKind.QUERY, RequestKind.MUTATION, RequestKind.EVENTS


@pytest.fixture
def requests(application: Starlette) -> MeasuredRequests:
    measured: MeasuredRequests = application.state.graphql.requests
    return measured


def numbers(requests: MeasuredRequests) -> dict[RequestKind, int]:
    """How many requests were measured, by kind."""
    return {kind: sum(requests.durations[kind].buckets) for kind in RequestKind}


async def test_each_request_counts_once_by_its_kind(api: Api, requests: MeasuredRequests) -> None:
    await api.get(QUERY)
    await api.get(MUTATION)
    await api.get(INGEST)
    sent = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "c"}
    headers = {**api.headers, "content-type": "application/cloudevents+json"}
    answer = await api.http.post("/events", json=sent, headers=headers)
    assert answer.status_code == 200
    await api.post([{"query": QUERY}, {"query": QUERY}])
    assert numbers(requests) == {QUERIES: 2, MUTATIONS: 2, EVENTS: 1}
    assert all(requests.durations[kind].seconds > 0 for kind in RequestKind)
    assert not requests.errors


async def test_operations_over_a_websocket_count_and_subscriptions_do_not(
    application: Starlette, api: Api, requests: MeasuredRequests
) -> None:
    async with connected(application, api.secret) as socket:
        await socket.subscribe(USAGE, "following")
        for number, text in (("1", QUERY), ("2", MUTATION)):
            await socket.subscribe(text, number)
            assert (await socket.receive())["type"] == "next"
            assert await socket.receive() == {"id": number, "type": "complete"}
        assert numbers(requests) == {QUERIES: 1, MUTATIONS: 1, EVENTS: 0}
        await socket.send({"type": "complete", "id": "following"})
    assert numbers(requests) == {QUERIES: 1, MUTATIONS: 1, EVENTS: 0}


async def test_errors_count_by_code_however_they_are_sent(
    application: Starlette, api: Api, requests: MeasuredRequests
) -> None:
    await api.codes("{ nothing }")
    assert requests.errors == {"BAD_USER_INPUT": 1}
    await api.anonymous.codes(QUERY)
    assert requests.errors["UNAUTHENTICATED"] == 1
    await api.post(
        [{"query": "{ nothing }"}, {"query": "{ customers(first: 101) { nodes { id } } }"}]
    )
    assert requests.errors["BAD_USER_INPUT"] == 3
    await api.http.post("/events", content=b"x")
    assert requests.errors["UNAUTHENTICATED"] == 2
    await api.http.put("/graphql")
    assert requests.errors["BAD_USER_INPUT"] == 4
    async with connected(application, api.secret) as socket:
        await socket.subscribe("{ nothing }")
        assert (await socket.receive())["type"] == "error"
        await socket.subscribe('subscription { usageUpdated(after: "x") { cursor } }', "2")
        assert (await socket.receive())["type"] in {"next", "error"}
    assert requests.errors == {"BAD_USER_INPUT": 6, "UNAUTHENTICATED": 2}
    # Those that were refused took their time, too.
    assert numbers(requests) == {QUERIES: 5, MUTATIONS: 0, EVENTS: 1}


def test_a_duration_is_in_the_bucket_of_the_first_bound_that_it_does_not_exceed() -> None:
    requests = MeasuredRequests()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 0.001, BOUNDS[-1], BOUNDS[-1] + 1):
        requests.answered(QUERIES, seconds)
    assert requests.durations[QUERIES].buckets == [2, 1, *[0] * (len(BOUNDS) - 3), 1, 1]


def test_codes_that_are_not_ours_add_no_series() -> None:
    requests = MeasuredRequests()
    requests.failed_with(
        [{"extensions": {"code": "x"}}, {"message": "no code"}, {"extensions": {}}]
    )
    assert requests.errors == {"INTERNAL": 3}
    assert "INTERNAL" in CODES
