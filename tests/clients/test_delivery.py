"""The Python client delivers each event once, even if requests fail."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from metergraph_client import (
    FlushTimeoutError,
    Metergraph,
)
from models import Customer
from models import Event as StoredEvent
from tests.clients.faulty import (
    Fault,
    FaultyProxy,
    answer,
    api_error,
    fall_silent,
    lose_the_answer,
)
from tests.clients.world import SECONDS, MakeClient, Told, World, has_poison

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_an_event_is_stored_as_it_was_given(world: World, make_client: MakeClient) -> None:
    client = make_client()
    metadata = {"model": "gpt-4.1", "cost": Decimal("0.1000000000000000055"), "tags": ["a"]}
    external_id = client.ingest(
        "ai_usage", external_customer_id="acme", metadata=metadata, timestamp=NOON
    )
    metadata["model"] = "changed later"
    client.flush(SECONDS)
    [stored] = await StoredEvent.filter(organization_id=world.organization.id)
    assert (stored.name, stored.timestamp, stored.external_id) == ("ai_usage", NOON, external_id)
    customer = await Customer.get(id=stored.customer_id)
    assert customer.external_id == "acme"
    assert stored.metadata == {
        "model": "gpt-4.1",
        "cost": "0.1000000000000000055",
        "tags": ["a"],
    }
    assert client.stats.inserted == 1


async def test_an_event_gets_the_time_of_the_call_and_an_id_in_the_order_of_time(
    world: World, make_client: MakeClient, proxy: FaultyProxy
) -> None:
    proxy.plan(answer(503, retry_after="1"))
    client = make_client(proxy.url)
    before = datetime.now(UTC)
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(2)]
    after = datetime.now(UTC)
    client.flush(SECONDS)
    for stored in await StoredEvent.filter(organization_id=world.organization.id):
        assert before - timedelta(milliseconds=1) <= stored.timestamp <= after
    assert await world.stored() == sorted(ids)
    assert all(one[14] == "7" for one in ids)


def test_events_go_in_batches_by_number_and_by_size(
    make_client: MakeClient, proxy: FaultyProxy
) -> None:
    client = make_client(proxy.url, batch_events=50, linger_seconds=SECONDS)
    for _ in range(120):
        client.ingest("call", external_customer_id="acme")
    client.flush(SECONDS)
    assert [len(request.events) for request in proxy.requests] == [50, 50, 20]
    by_size = make_client(proxy.url, batch_bytes=3_000, linger_seconds=SECONDS)
    for _ in range(4):
        by_size.ingest("call", external_customer_id="acme", metadata={"text": "x" * 1_000})
    by_size.flush(SECONDS)
    assert [len(request.events) for request in proxy.requests[3:]] == [2, 2]


def test_an_event_waits_for_others_only_a_moment(
    make_client: MakeClient, proxy: FaultyProxy
) -> None:
    client = make_client(proxy.url, linger_seconds=0.05)
    client.ingest("call", external_customer_id="acme")
    assert len(proxy.wait_for_requests(1)[0].events) == 1


@pytest.mark.parametrize("fault", [lose_the_answer, fall_silent])
async def test_an_event_whose_answer_is_lost_is_sent_again_and_stored_once(
    world: World, make_client: MakeClient, proxy: FaultyProxy, fault: Fault
) -> None:
    proxy.plan(fault)
    client = make_client(proxy.url, timeout=1.0)
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(3)]
    client.flush(SECONDS)
    assert await world.stored() == sorted(ids)
    assert proxy.requests[1].external_ids == ids
    assert client.stats.retries >= 1
    assert client.stats.inserted + client.stats.duplicates == 3


@pytest.mark.parametrize(
    "fault",
    [
        answer(500),
        answer(502),
        answer(404),
        answer(200, "<html>a portal that wants a password</html>"),
        answer(200, "[]"),
        api_error(503, "INTERNAL", retryable=True),
        api_error(500, "INTERNAL", id="7f3a"),
    ],
)
async def test_an_outage_is_waited_for(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told, fault: Fault
) -> None:
    proxy.plan(fault)
    client = make_client(proxy.url)
    ids = [client.ingest("call", external_customer_id="acme") for _ in range(3)]
    client.flush(SECONDS)
    assert await world.stored() == sorted(ids)
    assert (client.stats.retries, told.rejections) == (1, [])


@pytest.mark.parametrize(
    "fault",
    [
        answer(429, retry_after="1"),
        answer(503, retry_after="1"),
        api_error(429, "RATE_LIMITED", retryAfterSeconds=1),
    ],
)
def test_a_server_that_says_when_to_come_back_is_left_alone_until_then(
    make_client: MakeClient, proxy: FaultyProxy, fault: Fault
) -> None:
    proxy.plan(fault)
    client = make_client(proxy.url)
    client.ingest("call", external_customer_id="acme")
    client.flush(SECONDS)
    first, second = proxy.requests
    assert second.at - first.at >= 1


async def test_a_rejected_event_is_reported_and_the_others_are_stored(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    client = make_client(proxy.url, linger_seconds=SECONDS)
    good = [client.ingest("call", external_customer_id="acme") for _ in range(2)]
    bad = client.ingest("", external_customer_id="acme")
    ahead = datetime.now(UTC) + timedelta(hours=1)
    early = client.ingest("call", external_customer_id="acme", timestamp=ahead)
    client.flush(SECONDS)
    assert await world.stored() == sorted(good)
    assert [(one.event.external_id, one.code, one.path) for one in told.rejections] == [
        (bad, "INVALID", ("name",)),
        (early, "INVALID", ("timestamp",)),
    ]
    assert (client.stats.rejected, len(proxy.requests)) == (2, 1)


async def test_a_conflict_is_reported(world: World, make_client: MakeClient, told: Told) -> None:
    client = make_client()
    for name in ("call", "other"):
        client.ingest(name, external_customer_id="acme", external_id="e1", timestamp=NOON)
        client.flush(SECONDS)
    assert await world.stored() == ["e1"]
    assert [(one.event.name, one.code) for one in told.rejections] == [("other", "CONFLICT")]


async def test_an_event_that_spoils_its_batch_is_rejected_alone(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    client = make_client(proxy.url, linger_seconds=SECONDS)
    good = [client.ingest("call", external_customer_id="acme") for _ in range(9)]
    bad = client.ingest(cast("str", 5), external_customer_id="acme")
    good += [client.ingest("call", external_customer_id="acme") for _ in range(9)]
    client.flush(SECONDS)
    assert await world.stored() == sorted(good)
    assert [(one.event.external_id, one.code) for one in told.rejections] == [
        (bad, "BAD_USER_INPUT")
    ]


async def test_a_batch_that_is_too_large_for_a_proxy_goes_in_parts(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    proxy.always = lambda body: answer(413) if len(body) > 3_000 else None
    client = make_client(proxy.url, linger_seconds=SECONDS)
    good = [client.ingest("call", external_customer_id="acme") for _ in range(60)]
    large = client.ingest("call", external_customer_id="acme", metadata={"text": "x" * 4_000})
    client.flush(SECONDS)
    assert await world.stored() == sorted(good)
    assert [(one.event.external_id, one.code) for one in told.rejections] == [
        (large, "TOO_COMPLEX")
    ]


async def test_an_event_that_the_server_fails_on_keeps_back_no_other(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    broken = api_error(500, "INTERNAL", id="7f3a")
    proxy.always = lambda body: broken if has_poison(body) else None
    client = make_client(proxy.url, linger_seconds=SECONDS)
    poison = client.ingest("poison", external_customer_id="acme")
    good = [client.ingest("call", external_customer_id="acme") for _ in range(4)]
    flushed = threading.Thread(target=client.flush, args=(SECONDS,))
    flushed.start()
    while client.stats.inserted < 4:
        with pytest.raises(FlushTimeoutError):
            client.flush(0.05)
    assert await world.stored() == sorted(good)
    assert told.rejections == []
    proxy.always = lambda _body: None
    flushed.join(SECONDS)
    client.flush(SECONDS)
    assert await world.stored() == sorted([*good, poison])


async def test_a_token_that_is_not_valid_rejects_at_once(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    client = make_client(proxy.url, token="mg_unknown", linger_seconds=SECONDS)
    for _ in range(5):
        client.ingest("call", external_customer_id="acme")
    client.flush(SECONDS)
    assert [one.code for one in told.rejections] == ["UNAUTHENTICATED"] * 5
    assert len(proxy.requests) == 1


async def test_a_callback_that_fails_does_not_stop_delivery(
    world: World, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("A bug of the application")

    client = make_client(on_rejected=fail)
    client.ingest("", external_customer_id="acme")
    client.flush(SECONDS)
    good = client.ingest("call", external_customer_id="acme")
    client.flush(SECONDS)
    assert await world.stored() == [good]
    assert "on_rejected failed for 1 events" in caplog.text


def test_a_callback_that_would_wait_for_itself_is_told_so(make_client: MakeClient) -> None:
    raised: list[Exception] = []

    def on_rejected(_rejections: Any) -> None:
        try:
            client.flush()
        except RuntimeError as error:
            raised.append(error)

    client = make_client(on_rejected=on_rejected)
    client.ingest("", external_customer_id="acme")
    client.flush(SECONDS)
    assert "cannot be called by on_rejected" in str(raised)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"metadata": {"tokens": float("nan")}}, ValueError),
        ({"metadata": {"tokens": Decimal("NaN")}}, TypeError),
        ({"metadata": {"at": NOON}}, TypeError),
        ({"timestamp": NOON.replace(tzinfo=None)}, ValueError),
    ],
)
def test_what_json_cannot_say_is_refused_at_the_call(
    make_client: MakeClient, change: dict[str, Any], error: type[Exception]
) -> None:
    client = make_client()
    with pytest.raises(error):
        client.ingest("call", external_customer_id="acme", **change)
    assert client.stats.queued == 0


@pytest.mark.parametrize("url", [None, "", "usage.example"])
def test_a_client_needs_an_address_and_a_token(
    url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="METERGRAPH_API_URL"):
        Metergraph(url, "mg_token")
    monkeypatch.setenv("METERGRAPH_API_URL", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="METERGRAPH_TOKEN"):
        Metergraph()
