"""`/metrics` for Prometheus: of this process, and of the whole system through database and Redis.

The help of a metric says whether it is of the process. All others are the same from every API
process: aggregate them with `max`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from arq.connections import ArqRedis
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from config import clock
from metergraph.database.opening import aside
from metering.ingest.storing import ReceiptStatus
from metering.live.measured import ALERTS_TRIGGERED
from metering.live.wakeup import QUEUE
from waiting.outages import is_outage
from workers.measurements import (
    ATTEMPTS,
    COUNTING,
    DELIVERY,
    EVENTS,
    OUTCOMES,
    Histogram,
    attempt_field,
    job_field,
    read_measurements,
)

T = TypeVar("T")

_SECONDS = 2.0

_FACTS = """
SELECT (SELECT count(*) FROM event_batch WHERE position IS NULL) AS batches_pending,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0)::float8
        FROM event_batch WHERE position IS NULL) AS lag_seconds,
       (SELECT count(*) FROM meter
        WHERE (position IS NOT NULL OR dimensions_position IS NOT NULL) AND archived_at IS NULL)
           AS meters_behind,
       (SELECT coalesce(sum(events), 0)::float8 FROM event_log) AS events_processed,
       ARRAY(SELECT split_part(problem, ':', 1) FROM meter WHERE problem IS NOT NULL)
           AS reasons_of_failing,
       (SELECT count(*) FROM customer_subscription WHERE invoicing_problem IS NOT NULL)
           AS subscriptions_withheld,
       (SELECT count(*) FROM usage_drift) AS usage_drifts,
       (SELECT count(*) FROM outbox_event WHERE body IS NULL) AS outbox_pending,
       (SELECT count(*) FROM webhook_endpoint
        WHERE failing_since IS NOT NULL AND disabled_at IS NULL) AS webhook_endpoints_failing
"""

# Metrics by the columns of the query.
_GAUGES = {
    "batches_pending": "Stored batches that are not counted yet.",
    "lag_seconds": "How long the oldest pending batch has waited.",
    "meters_behind": "Meters that are catching up with history.",
    "outbox_pending": "What happened and has no webhook deliveries yet.",
    "webhook_endpoints_failing": "Enabled webhook endpoints whose last delivery failed.",
    "subscriptions_withheld": (
        "Subscriptions whose invoices are withheld until their usage is corrected."
    ),
}
_COUNTERS = {
    "events_processed": "Events that the logs have counted.",
    "usage_drifts": "Wrong cached aggregates that an audit repaired. Each one is a bug.",
}


@dataclass(frozen=True)
class _Found:
    """The data for the metrics; None if the database or Redis did not answer."""

    receipts: dict[ReceiptStatus, int]
    subscribers: int
    facts: dict[str, Any] | None
    measured: dict[str, float] | None
    queued: int | None


async def metrics(request: Request) -> Response:
    """Returns all metrics, even while the database or Redis is away."""
    services = request.app.state.graphql.services
    redis: ArqRedis = request.app.state.redis
    facts, measured, queued = await asyncio.gather(
        _or_none(aside().execute_query_dict(_FACTS)),
        _or_none(read_measurements(redis)),
        _or_none(redis.zcard(QUEUE)),
    )
    found = _Found(
        receipts=services.commits.receipts,
        subscribers=services.feeds.followers,
        facts=facts[0] if facts else None,
        measured=measured,
        queued=queued,
    )
    return exposition(_Collector(found))


def exposition(collector: Collector) -> Response:
    """Writes the metrics of a collector and of this process in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(collector)
    for of_process in (ProcessCollector, PlatformCollector, GCCollector):
        of_process(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _or_none(work: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(_SECONDS):
            return await work
    except Exception as error:
        if isinstance(error, RedisError | asyncpg.PostgresError) or is_outage(error):
            return None
        raise


class _Collector(Collector):
    """The metrics of Metergraph."""

    def __init__(self, found: _Found) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """The families, in the order in which they are shown."""
        yield from _of_process(self._found)
        yield from _of_database(self._found.facts)
        yield from _of_redis(self._found.measured, self._found.queued)


def _of_process(found: _Found) -> Iterator[Metric]:
    ingested = CounterMetricFamily(
        "metergraph_events_ingested",
        "Events that clients sent to this process, by status.",
        labels=["status"],
    )
    for status in ReceiptStatus:
        ingested.add_metric([status.value], found.receipts.get(status, 0))
    yield ingested
    yield GaugeMetricFamily(
        "metergraph_subscribers", "Subscriptions open in this process.", found.subscribers
    )
    yield from clock_offset()


def clock_offset() -> Iterator[Metric]:
    """Yields how far this machine's clock is off, once it is known."""
    ahead = clock.ahead()
    if ahead is not None:
        yield GaugeMetricFamily(
            "metergraph_clock_offset_seconds",
            "How far the clock of this process's machine is ahead of PostgreSQL's.",
            ahead.total_seconds(),
        )


def _of_database(facts: dict[str, Any] | None) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "metergraph_database_up", "Whether the database answers.", int(facts is not None)
    )
    if facts is None:
        return
    for name, text in _GAUGES.items():
        yield GaugeMetricFamily(f"metergraph_{name}", text, facts[name])
    for name, text in _COUNTERS.items():
        yield CounterMetricFamily(f"metergraph_{name}", text, facts[name])
    failing = GaugeMetricFamily(
        "metergraph_meters_failing",
        "Meters that fall behind because counting fails, by the type of the error.",
        labels=["reason"],
    )
    for reason, meters in Counter(facts["reasons_of_failing"]).items():
        failing.add_metric([reason], meters)
    yield failing


def _of_redis(measured: dict[str, float] | None, queued: int | None) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "metergraph_redis_up",
        "Whether Redis answers.",
        int(measured is not None and queued is not None),
    )
    if queued is not None:
        yield GaugeMetricFamily(
            "metergraph_jobs_queued", "Jobs of arq that are waiting or running.", queued
        )
    if measured is None:
        return
    jobs = CounterMetricFamily(
        "metergraph_jobs", "Jobs of arq that ended, by outcome.", labels=["outcome"]
    )
    for outcome in OUTCOMES:
        jobs.add_metric([outcome], measured.get(job_field(outcome), 0))
    yield jobs
    attempts = CounterMetricFamily(
        "metergraph_webhook_attempts",
        "Tries to send a webhook, by result: delivered, retried later, or failed for good.",
        labels=["result"],
    )
    for outcome in ATTEMPTS:
        attempts.add_metric([outcome], measured.get(attempt_field(outcome), 0))
    yield attempts
    yield CounterMetricFamily(
        "metergraph_events_counted", "Events that workers counted.", measured.get(EVENTS, 0)
    )
    yield CounterMetricFamily(
        "metergraph_alerts_triggered",
        "Usage alerts that triggered, for customers and periods.",
        measured.get(ALERTS_TRIGGERED, 0),
    )
    yield _histogram(
        "metergraph_counting_seconds",
        "How long a step of counting took, of all workers.",
        COUNTING,
        measured,
    )
    yield _histogram(
        "metergraph_webhook_delay_seconds",
        "How long after the event a webhook was delivered, with the pauses between its tries.",
        DELIVERY,
        measured,
    )


def _histogram(name: str, text: str, kept: Histogram, measured: dict[str, float]) -> Metric:
    number = 0.0
    buckets = []
    for bound in (*kept.bounds, None):
        number += measured.get(kept.bucket(bound), 0)
        buckets.append(("+Inf" if bound is None else str(bound), number))
    histogram = HistogramMetricFamily(name, text)
    histogram.add_metric([], buckets, measured.get(kept.total, 0))
    return histogram
