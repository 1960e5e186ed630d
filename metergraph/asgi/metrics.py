"""`/metrics` for Prometheus: of this process, and of the whole system through database and Redis.

The help of a metric says whether it is of the process. All others are the same from every API
process: aggregate them with `max`.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import asyncpg
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from config import clock
from metergraph.asgi.system_metrics import (
    RedisFacts,
    database_facts,
    of_database,
    of_redis,
    redis_facts,
)
from metering.ingest.storing import ReceiptStatus
from transport.measured_requests import BOUNDS, CODES, MeasuredRequests, RequestKind
from waiting.outages import is_outage

T = TypeVar("T")

_SECONDS = 2.0


@dataclass(frozen=True)
class _Found:
    """The data for the metrics; None if the database or Redis did not answer."""

    receipts: dict[ReceiptStatus, int]
    subscribers: int
    requests: MeasuredRequests
    facts: dict[str, Any] | None
    measured: RedisFacts | None


async def metrics(request: Request) -> Response:
    """Returns all metrics, even while the database or Redis is away."""
    graphql = request.app.state.graphql
    services = graphql.services
    facts, measured = await asyncio.gather(
        _or_none(database_facts()), _or_none(redis_facts(request.app.state.redis))
    )
    found = _Found(
        receipts=services.commits.receipts,
        subscribers=services.feeds.followers,
        requests=graphql.requests,
        facts=facts,
        measured=measured,
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
        yield from of_process("api")
        yield from _of_api(self._found)
        yield from _of_requests(self._found.requests)
        yield from of_database(self._found.facts)
        yield from of_redis(self._found.measured)


def of_process(role: str) -> Iterator[Metric]:
    """Yields the metrics that API processes and workers have: what they are, and their clock."""
    yield InfoMetricFamily(
        "metergraph_process",
        "This process, which is an API process or a worker.",
        {"role": role, "version": version("metergraph")},
    )
    ahead = clock.ahead()
    if ahead is not None:
        yield GaugeMetricFamily(
            "metergraph_clock_offset_seconds",
            "How far the clock of this process's machine is ahead of PostgreSQL's.",
            ahead.total_seconds(),
        )


def _of_api(found: _Found) -> Iterator[Metric]:
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


def _of_requests(requests: MeasuredRequests) -> Iterator[Metric]:
    seconds = HistogramMetricFamily(
        "metergraph_request_seconds",
        "How long this process took to answer requests to the API, by kind. Operations over "
        "WebSockets count; subscriptions do not.",
        labels=["kind"],
    )
    for kind in RequestKind:
        durations = requests.durations[kind]
        number = 0
        buckets = []
        for bound, count in zip((*BOUNDS, None), durations.buckets, strict=True):
            number += count
            buckets.append(("+Inf" if bound is None else str(bound), float(number)))
        seconds.add_metric([kind.value], buckets, durations.seconds)
    yield seconds
    errors = CounterMetricFamily(
        "metergraph_request_errors",
        "Errors that this process answered, by `extensions.code`.",
        labels=["code"],
    )
    for code in CODES:
        errors.add_metric([code], requests.errors[code])
    yield errors
