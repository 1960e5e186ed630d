"""The metrics of the whole system, read from PostgreSQL and Redis: every process shows the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arq.connections import ArqRedis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from metergraph.database.opening import aside
from metering.live.measured import ALERTS_TRIGGERED, INVOICES_ISSUED
from metering.live.wakeup import QUEUE
from metering.packing import indexes_to_pack
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
from workers.organization_events import RANKS, DividedEvents, last_minute

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
       (SELECT coalesce(sum(events), 0)::float8 FROM archived_month
        WHERE archived_at IS NOT NULL) AS events_archived,
       (SELECT count(*) FROM archived_month WHERE dropped_at IS NULL) AS months_archiving,
       (SELECT count(*) FROM customer_subscription
        WHERE status <> 'CANCELED' AND usage_period_end <= now()) AS periods_due,
       (SELECT coalesce(extract(epoch FROM now() - min(usage_period_end)), 0)::float8
        FROM customer_subscription
        WHERE status <> 'CANCELED' AND usage_period_end <= now()) AS periods_due_seconds,
       (SELECT count(*) FROM subscription_period
        WHERE invoiced_at IS NULL AND draft_until IS NULL) AS periods_uninvoiced,
       (SELECT count(*) FROM webhook_endpoint
        WHERE failing_since IS NOT NULL AND disabled_at IS NULL) AS webhook_endpoints_failing
"""

# Metrics by the names of the facts.
_GAUGES = {
    "batches_pending": "Stored batches that are not counted yet.",
    "lag_seconds": "How long the oldest pending batch has waited.",
    "meters_behind": "Meters that are catching up with history.",
    "periods_due": "Periods that have ended and are not renewed yet.",
    "periods_due_seconds": "How long the oldest period that is not renewed has been over.",
    "periods_uninvoiced": (
        "Renewed periods whose invoices wait for events to be counted, or are withheld."
    ),
    "outbox_pending": "What happened and has no webhook deliveries yet.",
    "events_archived": "Events that are in archives only.",
    "months_archiving": "Months that are being archived, or whose archiving was interrupted.",
    "indexes_to_pack": "Indexes of past months that workers have not packed yet.",
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
class RedisFacts:
    """What Redis has for the metrics: sums of workers, jobs in the queue, and shares of events."""

    measured: dict[str, float]
    queued: int
    divided: DividedEvents


async def database_facts() -> dict[str, Any]:
    """Reads what the database has for the metrics."""
    [facts] = await aside().execute_query_dict(_FACTS)
    return {**facts, "indexes_to_pack": len(await indexes_to_pack(aside()))}


async def redis_facts(redis: ArqRedis) -> RedisFacts:
    """Reads what Redis has for the metrics."""
    return RedisFacts(
        await read_measurements(redis), await redis.zcard(QUEUE), await last_minute(redis)
    )


def of_database(facts: dict[str, Any] | None) -> Iterator[Metric]:
    """The metrics of what `database_facts` found; None: the database did not answer."""
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


def of_redis(found: RedisFacts | None) -> Iterator[Metric]:
    """The metrics of what `redis_facts` found; None: Redis did not answer."""
    yield GaugeMetricFamily("metergraph_redis_up", "Whether Redis answers.", int(found is not None))
    if found is None:
        return
    measured = found.measured
    yield GaugeMetricFamily(
        "metergraph_jobs_queued", "Jobs of arq that are waiting or running.", found.queued
    )
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
    yield CounterMetricFamily(
        "metergraph_invoices_issued",
        "Invoices that were issued.",
        measured.get(INVOICES_ISSUED, 0),
    )
    yield from _divided(found.divided)
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


def _divided(divided: DividedEvents) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "metergraph_organizations_active",
        "Organizations of which events were counted in the last full minute.",
        divided.organizations,
    )
    shares = GaugeMetricFamily(
        "metergraph_organization_events_share",
        "Which share of the events counted in the last full minute the organization with the most "
        "had (rank 1), the next ones, and all others together.",
        labels=["rank"],
    )
    for rank in range(1, RANKS + 1):
        shares.add_metric([str(rank)], divided.share(rank))
    shares.add_metric(["others"], divided.share_of_others)
    yield shares


def _histogram(name: str, text: str, kept: Histogram, measured: dict[str, float]) -> Metric:
    number = 0.0
    buckets = []
    for bound in (*kept.bounds, None):
        number += measured.get(kept.bucket(bound), 0)
        buckets.append(("+Inf" if bound is None else str(bound), number))
    histogram = HistogramMetricFamily(name, text)
    histogram.add_metric([], buckets, measured.get(kept.total, 0))
    return histogram
