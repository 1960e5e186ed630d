"""A worker that sends to an endpoint hears of new messages at once, whoever made them."""

import asyncio

import pytest
from arq.connections import ArqRedis

from models.identifiers import new_id
from tests.webhooks.receiver import Received, Receiver, Response
from tests.webhooks.world import Hooks, only_ids
from workers.deliver_webhooks import Delivering
from workers.measurements import Measurements


async def test_a_run_that_has_nothing_to_do_is_told_of_new_messages(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease does not hide the endpoint from its own worker."""
    monkeypatch.setattr("webhooks.delivering._LINGER_SECONDS", 3_600.0)
    monkeypatch.setattr("webhooks.delivering._LOOK_SECONDS", 3_600.0)
    await hooks.endpoint(receiver)
    for number in range(1, 4):
        await hooks.happen()
        await hooks.delivering.deliver(hooks.organization_id)
        await receiver.wait_for(number)
        await hooks.delivered(number)
    assert receiver.connections == 1


async def test_a_slow_answer_does_not_hold_up_what_happens_meanwhile(
    hooks: Hooks, receiver: Receiver
) -> None:
    slow, is_over = new_id(), asyncio.Event()

    async def answer(received: Received) -> Response:
        if str(slow).encode() in received.body:
            await is_over.wait()
        return Response()

    receiver.answer = answer
    await hooks.endpoint(receiver)
    await hooks.happen(slow)
    await hooks.delivering.deliver(hooks.organization_id)
    await receiver.wait_for(1)
    await hooks.happen()
    await hooks.delivering.deliver(hooks.organization_id)
    await hooks.delivered(1)
    is_over.set()
    await hooks.delivered(2)


async def test_a_worker_that_has_the_lease_finds_what_another_one_made(
    hooks: Hooks, receiver: Receiver, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.delivering._LINGER_SECONDS", 3_600.0)
    await hooks.endpoint(receiver)
    await hooks.happen()
    await hooks.delivering.deliver(hooks.organization_id)
    await hooks.delivered(1)
    other = Delivering(only_ids, Measurements(redis), allow_insecure=True)
    await hooks.happen()
    await other.deliver(hooks.organization_id)
    await other.idle()
    await hooks.delivered(2)
    assert receiver.connections == 1
