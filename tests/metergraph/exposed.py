"""What /metrics of an API process and of a worker have, after some work."""

from collections import defaultdict
from collections.abc import Mapping

import httpx
import pytest
from arq.connections import ArqRedis
from prometheus_client.parser import text_string_to_metric_families

from config.settings import Settings
from metergraph.asgi.worker_health import worker_app
from models import Meter, Organization
from tests.ingesting import meter_of, send
from tests.serving import in_process
from waiting.outages import Outage
from workers.measurements import Measurements
from workers.process_events import Counting
from workers.schedule import Recurring, WorkerStatus

Exposed = Mapping[str, set[str]]
"""Labels by the name under which Prometheus stores a series."""


@pytest.fixture
async def exposed(fresh_database_url: str, settings: Settings, redis: ArqRedis) -> Exposed:
    """The series of a system that has counted events, and in which a meter fails."""
    async with in_process(settings) as (_app, client):
        organization = await Organization.create(name="Test", slug="exposed")
        meter = await meter_of(organization.id)
        await send(organization.id, {"metadata": {"tokens": 1}})
        measurements = Measurements(redis)
        counting = Counting(redis, measurements)
        sweep = Recurring("sweep", counting.sweep, 1.0, Outage("PostgreSQL"))
        await sweep.run()
        await measurements.flush()
        await Meter.filter(id=meter.id).update(problem="DataError: a test")
        worker = httpx.AsyncClient(
            transport=httpx.ASGITransport(worker_app(WorkerStatus(sweep))),
            base_url="http://metergraph",
        )
        async with worker:
            texts = [(await each.get("/metrics")).text for each in (client, worker)]
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels[sample.name] |= set(sample.labels)
    return dict(labels)
