"""The way of an event through the processes, as OpenTelemetry's spans show it."""

import asyncio
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from config import tracing
from config.settings import Settings
from metergraph.open_telemetry import OpenTelemetry
from metering.ingest.group_commit import GroupCommit
from metering.ingest.storing import IngestCall, Receipt, ingest
from metering.live import change_feed
from metering.live.changes import UsageSelection
from metering.live.outbox import OutboxType
from metering.live.wakeup import usage_channel
from models import EventBatch, Organization
from tests.graphql_client import Api
from tests.ingesting import drain, meter_of
from tests.metering.ingest_calls import call
from tests.serving import in_process, new_token
from tests.webhooks.receiver import receiving
from tests.webhooks.world import Hooks, only_ids
from tests.websocket_client import connected
from workers.deliver_webhooks import Delivering
from workers.measurements import Measurements

INGEST = """mutation ($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) { inserted userErrors { message } }
}"""
EVENTS = [{"name": "ai_usage", "externalCustomerId": "bob@example.com", "externalId": "secret-id"}]
TOKENS = {"metadata": {"tokens": 5}}


class Spans:
    """The spans that ended so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span

    async def ended(self, *names: str) -> None:
        """Waits until there are spans of these names."""
        async with asyncio.timeout(60):
            while not set(names) <= {span.name for span in self.all}:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.01)


@contextmanager
def traced(sampler: Any = None) -> Iterator[Spans]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with tracing.traced_by(OpenTelemetry(provider)):
        yield Spans(exporter)


@pytest.fixture
def spans() -> Iterator[Spans]:
    with traced() as found:
        yield found


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def links_of(span: ReadableSpan) -> list[str]:
    return [f"{link.context.span_id:016x}" for link in span.links]


def traceparent(sampled: str = "01") -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{sampled}"


async def test_the_way_of_an_event_is_one_trace_from_its_caller_to_subscribers_and_webhooks(
    settings: Settings,
    redis: ArqRedis,
    organization: Organization,
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Else a feed that looks by itself may be faster than the announcement, which names the span.
    monkeypatch.setattr(change_feed, "SECONDS_BETWEEN_LOOKS", 600.0)
    async with in_process(settings) as (app, client), receiving() as receiver:
        await meter_of(organization.id)
        delivering = Delivering(only_ids, Measurements(redis), allow_insecure=True)
        hooks = Hooks(organization.id, redis, delivering)
        await hooks.endpoint(receiver, OutboxType.CUSTOMER_CREATED)
        feeds = app.state.graphql.services.feeds
        changes = feeds.usage(organization.id, None, UsageSelection())
        following = asyncio.create_task(anext(changes))
        channel = usage_channel(organization.id)
        async with asyncio.timeout(60):
            while await redis.pubsub_numsub(channel) != [(channel.encode(), 1)]:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.01)

        sent = traceparent()
        answer = await client.post(
            "/graphql",
            json={"query": INGEST, "variables": {"events": [{**EVENTS[0], **TOKENS}]}},
            headers={
                "authorization": f"Bearer {await new_token(organization)}",
                "traceparent": sent,
            },
        )
        assert answer.json()["data"]["eventsIngest"] == {"inserted": 1, "userErrors": []}
        await drain(organization.id)
        async with asyncio.timeout(60):
            await following
        await changes.aclose()
        await hooks.deliver()
        await receiver.wait_for(1)
        await spans.ended("push", "send webhook")

        way = ["GraphQL over HTTP", "store events", "commit", "count", "read changes", "push"]
        found = [spans.one(name) for name in way]
        found.append(spans.one("send webhook"))
        assert {trace_of(span) for span in found} == {sent.split("-")[1]}
        parents = [sent.split("-")[2], *map(id_of, found[:-2])]
        assert [parent_of(span) for span in found[:-1]] == parents
        assert parent_of(found[-1]) == id_of(spans.one("commit"))  # which made the customer
        count = spans.one("count").attributes or {}
        assert (count["metergraph.batches"], count["metergraph.events"]) == (1, 1)
        assert "traceparent" not in receiver.received[0].headers

        everything = "\n".join(span.to_json() for span in spans.all)
        for text in ("bob@example.com", "secret-id", "mg_", "ai_usage", "127.0.0.1"):
            assert text not in everything


async def test_a_shared_commit_and_a_shared_count_lead_on_from_each_of_their_callers(
    organization: Organization, spans: Spans
) -> None:
    commits = GroupCommit(ingest)

    async def store(number: int) -> str:
        with tracing.received("request", {"traceparent": traceparent()}) as request:
            await commits.submit(organization.id, call({"externalId": str(number)}))
            assert request.traceparent is not None
            return request.traceparent.split("-")[1]

    first, second = await asyncio.gather(store(1), store(2))
    third = await store(3)
    stores = {trace_of(span): span for span in spans.named("store events")}
    commit_of = {trace_of(span): span for span in spans.named("commit")}
    assert set(commit_of) == {first, second, third}
    # The commit of the first two is in the first one's trace; the second one's leads there.
    assert parent_of(commit_of[first]) == id_of(stores[first])
    assert links_of(commit_of[first]) == [id_of(stores[second])]
    assert parent_of(commit_of[second]) == id_of(stores[second])
    assert links_of(commit_of[second]) == [id_of(commit_of[first])]
    assert links_of(commit_of[third]) == []

    batches = await EventBatch.filter(organization_id=organization.id).order_by("id")
    assert [str(batch.traceparent).split("-")[2] for batch in batches] == [
        id_of(commit_of[first]),
        id_of(commit_of[third]),
    ]
    await drain(organization.id)
    count_of = {trace_of(span): span for span in spans.named("count")}
    assert parent_of(count_of[first]) == id_of(commit_of[first])
    assert links_of(count_of[first]) == [id_of(commit_of[third])]
    assert parent_of(count_of[third]) == id_of(commit_of[third])
    assert links_of(count_of[third]) == [id_of(count_of[first])]


async def test_what_is_not_recorded_leaves_nothing_behind(organization: Organization) -> None:
    commits = GroupCommit(ingest)
    with traced(ParentBased(TraceIdRatioBased(0.0))) as spans:
        for headers in ({}, {"traceparent": traceparent("00")}):
            with tracing.received("request", headers):
                await commits.submit(organization.id, call({}))
        await drain(organization.id)
        assert spans.all == []
        with tracing.received("request", {"traceparent": traceparent("01")}):
            await commits.submit(organization.id, call({}))
        await drain(organization.id)
        assert [span.name for span in spans.all] == ["commit", "store events", "request", "count"]
    batches = await EventBatch.filter(organization_id=organization.id).order_by("id")
    assert [batch.traceparent is not None for batch in batches] == [False, False, True]


async def test_without_a_tracer_nothing_is_stored(organization: Organization) -> None:
    await GroupCommit(ingest).submit(organization.id, call({}))
    [batch] = await EventBatch.filter(organization_id=organization.id)
    assert batch.traceparent is None
    assert tracing.received("request", {"traceparent": traceparent()}) is tracing.NO_SPAN


@pytest.mark.parametrize(
    "text", ["", "x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "00-1-2-3", "0" * 10_000]
)
async def test_a_malformed_traceparent_begins_a_trace_of_its_own(
    api: Api, spans: Spans, text: str
) -> None:
    response = await api.http.post(
        "/graphql",
        content=json.dumps({"query": "{ organization { slug } }"}),
        headers={
            **api.headers,
            "content-type": "application/json",
            "traceparent": text,
        },
    )
    assert response.status_code == 200
    request = spans.one("GraphQL over HTTP")
    assert request.parent is None
    assert (request.attributes or {})["metergraph.status"] == 200


async def test_an_error_tells_its_type_only(spans: Spans) -> None:
    async def fail(_organization_id: UUID, _calls: Sequence[IngestCall]) -> list[list[Receipt]]:
        raise ZeroDivisionError("Key (email)=(bob@example.com)")

    with pytest.raises(ZeroDivisionError), tracing.received("request", {}):
        await GroupCommit(fail).submit(UUID(int=1), call({}))
    for name in ("request", "store events", "commit"):
        span = spans.one(name)
        assert not span.status.is_ok
        assert (span.attributes or {})["error.type"] == "ZeroDivisionError"
        assert span.events == ()
        assert "bob" not in span.to_json()


async def test_operations_over_a_websocket_are_traced_and_subscriptions_are_not(
    settings: Settings, organization: Organization, spans: Spans
) -> None:
    async with (
        in_process(settings) as (app, _client),
        connected(app, await new_token(organization)) as socket,
    ):
        await socket.subscribe("subscription { usageUpdated { cursor } }", "following")
        await socket.subscribe(INGEST, "1", events=EVENTS)
        assert (await socket.receive())["type"] == "next"
        await spans.ended("GraphQL over WebSocket")
        request = spans.one("GraphQL over WebSocket")
        assert parent_of(spans.one("store events")) == id_of(request)
        await socket.send({"type": "complete", "id": "following"})
    assert len(spans.named("GraphQL over WebSocket")) == 1
