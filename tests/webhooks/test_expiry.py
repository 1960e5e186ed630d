"""What happened is forgotten after 30 days, with its deliveries; results are counted."""

from datetime import UTC, datetime, timedelta

from arq.connections import ArqRedis

from models import OutboxEvent, WebhookDelivery
from tests.webhooks.receiver import Receiver, Response
from tests.webhooks.world import Hooks
from webhooks.endpoints import resend
from workers.delete_expired import delete_expired
from workers.measurements import ATTEMPTS, DELIVERY, Measurements, attempt_field, read_measurements


async def test_old_deliveries_are_deleted_with_what_happened(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.endpoint(receiver)
    for _ in range(2):
        await hooks.happen()
    await hooks.deliver()
    events = OutboxEvent.filter(organization_id=hooks.organization_id)
    old, kept = await events.order_by("sequence")
    long_ago = datetime.now(UTC) - timedelta(days=31)
    await OutboxEvent.filter(organization_id=hooks.organization_id, id=old.id).update(
        created_at=long_ago
    )
    await delete_expired()
    assert [event.id for event in await events] == [kept.id]
    assert [delivery.event_id for delivery in await hooks.deliveries()] == [kept.id]


async def test_tries_are_counted_by_their_results(
    hooks: Hooks, receiver: Receiver, redis: ArqRedis
) -> None:
    measurements = Measurements(redis)
    hooks.delivering._measurements = measurements  # noqa: SLF001  # those that this test flushes
    await hooks.endpoint(receiver)
    await hooks.happen()
    receiver.answer = lambda _received: Response(500)
    await hooks.deliver()
    await hooks.later(timedelta(seconds=10))
    receiver.answer = lambda _received: Response()
    await hooks.deliver()
    receiver.answer = lambda _received: Response(410)
    await hooks.happen()
    await hooks.deliver()
    await measurements.flush()
    found = await read_measurements(redis)
    assert {result: found[attempt_field(result)] for result in ATTEMPTS} == {
        "delivered": 1,
        "retried": 1,
        "failed": 1,
    }


async def test_the_delay_of_a_delivery_counts_from_its_event_or_from_being_sent_again(
    hooks: Hooks, receiver: Receiver, redis: ArqRedis
) -> None:
    measurements = Measurements(redis)
    hooks.delivering._measurements = measurements  # noqa: SLF001  # those that this test flushes
    await hooks.endpoint(receiver)
    receiver.answer = lambda _received: Response(500)
    await hooks.happen()
    await hooks.deliver()
    ago = timedelta(minutes=30)
    await hooks.later(ago)
    events = OutboxEvent.filter(organization_id=hooks.organization_id)
    [event] = await events
    await events.update(created_at=event.created_at - ago)
    deliveries = WebhookDelivery.filter(organization_id=hooks.organization_id)
    [delivery] = await deliveries
    await deliveries.update(created_at=delivery.created_at - ago)
    receiver.answer = lambda _received: Response()
    await hooks.deliver()
    await measurements.flush()
    found = await read_measurements(redis)
    late = sum(found.get(DELIVERY.bucket(bound), 0) for bound in (3_600.0, None))
    assert late == 1
    assert found[DELIVERY.total] >= ago.total_seconds()

    await resend(hooks.organization_id, delivery.id)
    await hooks.deliver()
    await measurements.flush()
    again = await read_measurements(redis)
    assert len(receiver.received) == 3
    assert again[DELIVERY.total] - found[DELIVERY.total] < ago.total_seconds()
