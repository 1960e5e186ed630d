"""What happened arrives signed at a real receiver: again after failures, in order, for each."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from metering.live.outbox import OutboxType
from models import OutboxEvent, WebhookDelivery, WebhookEndpoint
from models.identifiers import new_id
from tests.webhooks.receiver import Receiver, Response, receiving
from tests.webhooks.world import Hooks
from webhooks.due import endpoints_with_work

DAY = timedelta(days=1)


async def test_a_message_is_signed_and_says_what_happened(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = await hooks.endpoint(receiver)
    [customer] = await hooks.happen(new_id())
    await hooks.deliver()

    [received] = receiver.received
    event = await OutboxEvent.get(organization_id=hooks.organization_id)
    assert received.target == "/hooks"
    assert received.headers["content-type"] == "application/json"
    assert received.id == f"msg_{event.id.hex}"
    assert list(received.message) == ["type", "timestamp", "data"]
    assert received.message["type"] == "customer.updated"
    assert datetime.fromisoformat(received.message["timestamp"]) == event.created_at
    assert received.message["data"] == {"id": str(customer)}
    assert Webhook(hooks.secrets[endpoint.id]).verify(received.body, received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_AAAA").verify(received.body, received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(hooks.secrets[endpoint.id]).verify(received.body + b" ", received.headers)
    [delivery] = await hooks.deliveries()
    assert (delivery.status, delivery.next_attempt_at) == ("DELIVERED", None)
    [attempt] = delivery.attempts
    assert (attempt["status"], attempt["error"]) == (200, None)
    assert attempt["milliseconds"] >= 0


async def test_each_endpoint_gets_the_types_that_it_wants(hooks: Hooks) -> None:
    async with receiving() as all_types, receiving() as invoices:
        await hooks.endpoint(all_types)
        await hooks.endpoint(invoices, "invoice.issued", "invoice.paid")
        await hooks.happen()
        await hooks.happen(type_=OutboxType.INVOICE_PAID)
        await hooks.deliver()
        assert [one["type"] for one in invoices.messages] == ["invoice.paid"]
        assert len(all_types.received) == 2
        [paid] = [one for one in all_types.received if one.message["type"] == "invoice.paid"]
        assert (paid.id, paid.body) == (invoices.received[0].id, invoices.received[0].body)


async def test_failures_are_repeated_with_growing_pauses_for_three_days(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.answer = lambda _received: Response(500)
    endpoint = await hooks.endpoint(receiver)
    await hooks.happen()
    expected = [5, 300, 1_800, 7_200, 18_000, *[36_000] * 7]
    for number, seconds in enumerate(expected, 1):
        await hooks.deliver()
        [delivery] = await hooks.deliveries()
        if delivery.next_attempt_at is None:
            break
        assert len(delivery.attempts) == number
        pause = (delivery.next_attempt_at - delivery_now(delivery)).total_seconds()
        assert seconds <= pause <= seconds * 1.2 + 60
        await hooks.later(delivery.next_attempt_at - delivery_now(delivery) + timedelta(minutes=2))
    assert delivery.status == "FAILED"
    assert 10 <= len(delivery.attempts) <= 12
    assert {attempt["error"] for attempt in delivery.attempts} == {"HTTP status 500."}
    assert len({one.id for one in receiver.received}) == 1
    await endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    assert endpoint.disabled_at is None


def delivery_now(delivery: WebhookDelivery) -> datetime:
    """When the last try was, by the sender's clock."""
    return datetime.fromisoformat(delivery.attempts[-1]["at"])


async def test_a_delivery_that_succeeds_in_the_end_ends_the_failure(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.answer = lambda _received: Response(503)
    endpoint = await hooks.endpoint(receiver)
    await hooks.happen()
    await hooks.deliver()
    await hooks.deliver()
    assert len(receiver.received) == 1, "the pause is kept"
    receiver.answer = lambda _received: Response(204, b"")
    await hooks.later(timedelta(seconds=10))
    await hooks.deliver()
    [delivery] = await hooks.deliveries()
    assert [attempt["status"] for attempt in delivery.attempts] == [503, 204]
    assert delivery.status == "DELIVERED"
    await endpoint.refresh_from_db()
    assert endpoint.failing_since is None


async def test_messages_about_one_object_are_in_order_and_wait_for_the_first(
    hooks: Hooks, receiver: Receiver
) -> None:
    first, second = new_id(), new_id()
    refused = True

    def refuse_first(received: object) -> Response:
        is_first = str(first).encode() in received.body  # type: ignore[attr-defined]
        return Response(500 if refused and is_first else 200)

    receiver.answer = refuse_first
    await hooks.endpoint(receiver)
    for type_ in (OutboxType.SUBSCRIPTION_CREATED, OutboxType.SUBSCRIPTION_RENEWED):
        for one in (first, second):
            await hooks.happen(one, type_=type_)
    await hooks.deliver()
    of = [(one["type"], one["data"]["id"]) for one in receiver.messages]
    assert [type_ for type_, id_ in of if id_ == str(second)] == [
        "subscription.created",
        "subscription.renewed",
    ]
    assert [type_ for type_, id_ in of if id_ == str(first)] == ["subscription.created"]

    refused = False
    await hooks.happen(first, type_=OutboxType.SUBSCRIPTION_ENDED)
    await hooks.later(timedelta(seconds=10))
    await hooks.deliver()
    last = [(one["type"], one["data"]["id"]) for one in receiver.messages][len(of) :]
    assert last == [
        ("subscription.created", str(first)),
        ("subscription.renewed", str(first)),
        ("subscription.ended", str(first)),
    ]
    assert set(await hooks.statuses()) == {"DELIVERED"}


async def test_many_messages_about_one_object_are_in_order(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.endpoint(receiver)
    one, types = new_id(), list(OutboxType)
    for type_ in types * 3:
        await hooks.happen(one, type_=type_)
        await hooks.happen()
    await hooks.deliver()
    about = [m["type"] for m in receiver.messages if m["data"]["id"] == str(one)]
    assert about == types * 3
    assert len(receiver.received) == len(types) * 6


async def test_410_disables_the_endpoint(hooks: Hooks, receiver: Receiver) -> None:
    receiver.answer = lambda _received: Response(410)
    endpoint = await hooks.endpoint(receiver)
    await hooks.happen()
    await hooks.deliver()
    await endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert endpoint.disabled_reason == "The endpoint answered 410 Gone."
    assert await hooks.statuses() == ["FAILED"]
    await hooks.happen()
    await hooks.deliver()
    assert len(receiver.received) == 1


async def test_an_endpoint_that_fails_for_five_days_is_disabled_and_says_why(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.answer = lambda _received: Response(500)
    endpoint = await hooks.endpoint(receiver)
    await hooks.happen()
    await hooks.deliver()
    await hooks.later(5 * DAY - timedelta(minutes=10))
    await hooks.deliver()
    await endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    await hooks.happen()
    await hooks.later(timedelta(minutes=10))
    await hooks.deliver()
    await endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert endpoint.disabled_reason == (
        "No delivery has succeeded for 5 days. The last one: HTTP status 500."
    )


async def test_rotation_signs_with_both_secrets_until_the_overlap_ends(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = await hooks.endpoint(receiver)
    other = await hooks.endpoint("http://127.0.0.1:9/")
    await WebhookEndpoint.filter(id=endpoint.id).update(
        previous_secret=other.secret, previous_secret_until=datetime.now().astimezone() + DAY
    )
    await other.delete()
    new, old = Webhook(hooks.secrets[endpoint.id]), Webhook(hooks.secrets[other.id])
    await hooks.happen()
    await hooks.deliver()
    await hooks.later(2 * DAY)
    await hooks.happen()
    await hooks.deliver()
    during, after = receiver.received
    assert new.verify(during.body, during.headers)
    assert old.verify(during.body, during.headers)
    assert new.verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        old.verify(after.body, after.headers)


async def test_a_worker_that_is_killed_between_delivery_and_mark_delivers_again(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of the dead worker ends by itself."""
    await hooks.endpoint(receiver)
    await hooks.happen()

    async def killed(*_arguments: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.delivering.store_results", killed)
        patch.setattr("webhooks.delivering.give_back_lease", killed)
        await hooks.deliver()
    assert await hooks.statuses() == ["PENDING"]
    assert await endpoints_with_work([], hooks.organization_id) == [], "its lease goes on"
    await hooks.later(timedelta(seconds=31))
    await hooks.deliver()
    assert await hooks.statuses() == ["DELIVERED"]
    assert [one.id for one in receiver.received] == [receiver.received[0].id] * 2
    assert receiver.received[0].body == receiver.received[1].body


async def test_without_the_key_webhooks_wait_and_the_log_names_the_setting(
    hooks: Hooks, receiver: Receiver, setting: Callable[[str, str | None], None]
) -> None:
    await hooks.endpoint(receiver)
    await hooks.happen()
    setting("METERGRAPH_SECRET_KEY", None)
    with capture_logs() as lines:
        await hooks.deliver()
        await hooks.deliver()
    assert receiver.received == []
    assert await hooks.statuses() == ["PENDING"]
    [line] = lines
    assert "METERGRAPH_SECRET_KEY" in line["reason"]
