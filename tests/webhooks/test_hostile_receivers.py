"""Receivers that redirect, flood, hang or are gone cost little and hold up nothing."""

import asyncio
from datetime import timedelta

import pytest

from tests.webhooks.receiver import Receiver, Response, receiving
from tests.webhooks.world import Hooks

DAY = timedelta(days=1)


async def test_redirects_are_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.answer = lambda _received: Response(302, headers={"location": elsewhere.url})
        await hooks.endpoint(receiver)
        await hooks.happen()
        await hooks.deliver()
        assert elsewhere.received == []
    [delivery] = await hooks.deliveries()
    assert delivery.attempts[0]["error"] == "HTTP status 302."


@pytest.mark.parametrize("is_endless", [False, True])
async def test_a_large_body_is_not_read(hooks: Hooks, receiver: Receiver, is_endless: bool) -> None:
    receiver.answer = lambda _received: Response(
        200, b"" if is_endless else b"x" * 50_000_000, streams_for_ever=is_endless
    )
    await hooks.endpoint(receiver)
    await hooks.happen()
    async with asyncio.timeout(60):
        await hooks.deliver()
    assert await hooks.statuses() == ["DELIVERED"]


async def test_endpoints_that_hang_hold_up_nothing_and_are_sent_little(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(lambda _received: Response(hangs=True)) as silent:
        hanging = await hooks.endpoint(silent)
        working = await hooks.endpoint(receiver)
        for _ in range(60):
            await hooks.happen()
        await hooks.delivering.deliver(hooks.organization_id)
        await receiver.wait_for(60)
        await hooks.delivered(60)
        assert await hooks.statuses(working) == ["DELIVERED"] * 60
        assert silent.most_at_once <= 2
        assert set(await hooks.statuses(hanging)) == {"PENDING"}


async def test_a_try_ends_after_its_time(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.sending.TRY_SECONDS", 0.2)
    receiver.answer = lambda _received: Response(hangs=True)
    await hooks.endpoint(receiver)
    await hooks.happen()
    await hooks.deliver()
    [delivery] = await hooks.deliveries()
    assert delivery.attempts[0]["error"] == "No answer within 0.2 seconds."
    assert delivery.status == "PENDING"


async def test_without_a_server_the_error_is_kept(hooks: Hooks) -> None:
    await hooks.endpoint("http://127.0.0.1:9/hooks")
    await hooks.happen()
    await hooks.deliver()
    [delivery] = await hooks.deliveries()
    assert delivery.attempts[0]["status"] is None
    assert "connect" in delivery.attempts[0]["error"].lower()
