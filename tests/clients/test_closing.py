"""What the Python client does with what is queued when it is closed."""

import contextlib

import pytest

from metergraph_client import (
    ClosedError,
    Event,
    FlushTimeoutError,
    UndeliveredError,
)
from tests.clients.faulty import FaultyProxy, answer, lose_the_answer
from tests.clients.world import SECONDS, MakeClient, Told, World


async def test_what_is_left_at_the_end_is_said_and_can_be_sent_again(
    world: World, make_client: MakeClient, proxy: FaultyProxy, told: Told
) -> None:
    proxy.plan(lose_the_answer)
    proxy.always = lambda _body: answer(503)
    client = make_client(proxy.url, linger_seconds=SECONDS)
    ids = [
        client.ingest("call", external_customer_id="acme", metadata={"number": number})
        for number in range(3)
    ]
    with pytest.raises(FlushTimeoutError, match="3 events are not delivered yet"):
        client.flush(0.01)
    with pytest.raises(UndeliveredError, match="3 events were not delivered") as raised:
        client.close(0.1)
    events = raised.value.events
    assert [event.external_id for event in events] == ids
    assert [event for event, _ in told.undelivered] == list(events)
    assert client.stats.undelivered == 3
    client.close()  # there is nothing more to say
    with pytest.raises(ClosedError):
        client.ingest("call", external_customer_id="acme")
    saved = [event.to_json() for event in events]
    later = make_client(world.url)
    later.ingest_events(map(Event.from_json, saved))
    later.close(SECONDS)
    assert await world.stored() == sorted(ids)
    assert later.stats.inserted + later.stats.duplicates == 3


def test_closing_tries_at_once_however_long_the_pause_is(
    make_client: MakeClient, proxy: FaultyProxy
) -> None:
    proxy.plan(*[answer(503)] * 6)
    client = make_client(proxy.url)
    client.ingest("call", external_customer_id="acme")
    while len(proxy.requests) < 6:  # each pause is longer than the one before
        with contextlib.suppress(FlushTimeoutError):
            client.flush(0.01)
    client.close(SECONDS)
    assert client.stats.inserted == 1
