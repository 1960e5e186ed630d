"""What /metrics tells Prometheus."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from arq.connections import ArqRedis
from prometheus_client.parser import text_string_to_metric_families
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from billing.alerts.life import AlertDraft, create_alert
from config.settings import Settings
from metergraph.asgi import metrics
from metering.alerts.kinds import UsageAlertKind
from metering.audit.drift import Drift, note_drifts
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.live.changes import UsageSelection
from metering.meters import MeterChanges, create_meter, update_meter
from models import Organization
from tests.ingesting import NOON, catch_up_all
from tests.metering.poison import POISON, accept_poison, let_retry, refuse_poison
from tests.serving import in_process, new_token
from tests.webhooks.world import nothing_to_deliver
from workers.announced_jobs import AnnouncedJobs
from workers.measurements import Measurements, read_measurements
from workers.outages import database_outage
from workers.process_events import Counting
from workers.settings import build_worker

Numbers = dict[tuple[str, str], float]

INGEST = """
mutation ($input: EventsIngestInput!) { eventsIngest(input: $input) { inserted rejected } }
"""
PROGRESS = "{ meters { nodes { progress { countedEvents failedEvents problems } } } }"


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is measured, however busy the machine is."""
    monkeypatch.setattr(metrics, "_SECONDS", 60.0)


async def scraped(client: httpx.AsyncClient) -> Numbers:
    """Every sample by its name and its one label's value."""
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def ingest(client: httpx.AsyncClient, token: str, *events: dict[str, Any]) -> None:
    usual = {"name": "ai_usage", "externalCustomerId": "c1", "timestamp": NOON.isoformat()}
    input_ = {"events": [{**usual, **event} for event in events], "onInvalid": "SKIP_INVALID"}
    response = await client.post(
        "/graphql",
        json={"query": INGEST, "variables": {"input": input_}},
        headers={"authorization": f"Bearer {token}"},
    )
    assert "errors" not in response.json(), response.text


async def test_a_meter_that_fails_says_why_and_recovers(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    settings: Settings,
    redis: ArqRedis,
) -> None:
    counting = Counting(redis)
    async with in_process(settings) as (_app, client):
        token = await new_token(organization)
        aggregation = Aggregation(AggregationFunction.SUM, "tokens")
        meter = await create_meter(organization.id, "Tokens", None, Filter(), aggregation)
        await refuse_poison(fresh_database)
        await ingest(client, token, {"metadata": {"tokens": 1}}, {"metadata": {"tokens": POISON}})

        async def progress() -> tuple[int, int, list[str]]:
            headers = {"authorization": f"Bearer {token}"}
            response = await client.post("/graphql", json={"query": PROGRESS}, headers=headers)
            (found,) = response.json()["data"]["meters"]["nodes"]
            said = found["progress"]
            return int(said["countedEvents"]), int(said["failedEvents"]), said["problems"]

        await counting.process_events(organization.id)
        reason = "NumericValueOutOfRangeError"
        assert (await scraped(client))["metergraph_meters_failing", reason] == 1
        assert await progress() == (0, 2, [f"{reason}: too much for a bucket"])

        await accept_poison(fresh_database)
        await let_retry(meter)
        await counting.catch_up_meters(organization.id)
        assert ("metergraph_meters_failing", reason) not in await scraped(client)
        assert await progress() == (2, 0, [])


@pytest.mark.usefixtures("fresh_database_url")
async def test_a_meter_is_behind_while_history_is_counted_for_new_dimensions(
    fresh_database: BaseDBAsyncClient, organization: Organization, settings: Settings
) -> None:
    count = Aggregation(AggregationFunction.COUNT)
    meter = await create_meter(organization.id, "Calls", None, Filter(), count, ["model"])
    behind = ("metergraph_meters_behind", "")
    async with in_process(settings) as (_app, client):
        assert (await scraped(client))[behind] == 0
        await update_meter(organization.id, meter.id, MeterChanges(dimensions=("region",)))
        assert (await scraped(client))[behind] == 1
        await catch_up_all(organization.id)
        assert (await scraped(client))[behind] == 0


@pytest.mark.usefixtures("fresh_database_url")  # the shared one has events that are not counted
async def test_metrics_follow_ingestion_counting_and_jobs(
    settings: Settings, redis: ArqRedis
) -> None:
    async with in_process(settings) as (app, client):
        organization = await Organization.create(name="Test", slug="metrics")
        token = await new_token(organization)
        before = await scraped(client)
        assert before["metergraph_lag_seconds", ""] == 0
        assert before["metergraph_events_ingested_total", "INSERTED"] == 0
        assert before["metergraph_counting_seconds_count", ""] == 0

        await ingest(client, token, {"externalId": "1"}, {})
        await ingest(client, token, {"externalId": "1"}, {"name": ""})
        waiting = await scraped(client)
        assert waiting["metergraph_events_ingested_total", "INSERTED"] == 2
        assert waiting["metergraph_events_ingested_total", "DUPLICATE"] == 1
        assert waiting["metergraph_events_ingested_total", "REJECTED"] == 1
        assert waiting["metergraph_events_ingested_total", "CONFLICT"] == 0
        assert waiting["metergraph_batches_pending", ""] == 1
        assert waiting["metergraph_lag_seconds", ""] > 0

        measurements = Measurements(redis)
        counting = Counting(redis, measurements)
        worker = build_worker(
            redis, counting, nothing_to_deliver(redis), database_outage(), AnnouncedJobs(redis)
        )
        measurements.watch(worker)
        worker.jobs_complete, worker.jobs_failed = 5, 1
        await counting.process_events(organization.id)
        await measurements.flush()
        await measurements.flush()
        counted = await scraped(client)
        assert counted["metergraph_batches_pending", ""] == 0
        assert counted["metergraph_lag_seconds", ""] == 0
        assert counted["metergraph_events_processed_total", ""] == 2
        assert counted["metergraph_events_counted_total", ""] == 2
        assert counted["metergraph_counting_seconds_count", ""] == 1
        assert counted["metergraph_counting_seconds_bucket", "+Inf"] == 1
        assert 0 < counted["metergraph_counting_seconds_sum", ""] < 60
        assert counted["metergraph_jobs_total", "complete"] == 5
        assert counted["metergraph_jobs_total", "failed"] == 1
        assert counted["metergraph_jobs_queued", ""] >= 0
        assert counted["process_resident_memory_bytes", ""] > 0

        drift = Drift(organization.id, organization.id, None, Decimal(1), Decimal(2), {})
        await note_drifts(get_connection("default"), organization.id, [drift])
        assert (await scraped(client))["metergraph_usage_drifts_total", ""] == 1

        feeds = app.state.graphql.services.feeds
        following = asyncio.create_task(anext(feeds.usage(organization.id, None, UsageSelection())))
        async with asyncio.timeout(60):
            while (await scraped(client))["metergraph_subscribers", ""] != 1:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.01)
        following.cancel()


@pytest.mark.usefixtures("fresh_database_url")
async def test_alerts_are_counted_whether_counting_or_a_mutation_triggers_them(
    settings: Settings, redis: ArqRedis
) -> None:
    async with in_process(settings) as (_app, client):
        organization = await Organization.create(name="Test", slug="alerts")
        token = await new_token(organization)
        aggregation = Aggregation(AggregationFunction.SUM, "tokens")
        meter = await create_meter(organization.id, "Tokens", None, Filter(), aggregation)

        async def watch(threshold: int) -> None:
            kind = UsageAlertKind.CONSUMED_UNITS
            draft = AlertDraft("much", kind, Decimal(threshold), meter.id, None)
            await create_alert(organization.id, draft)

        async def triggered() -> float:
            return (await scraped(client))["metergraph_alerts_triggered_total", ""]

        async def wait_until_triggered(number: float) -> None:
            async with asyncio.timeout(60):
                while await triggered() != number:  # noqa: ASYNC110  # nothing announces it
                    await asyncio.sleep(0.01)

        before = await triggered()
        await ingest(client, token, {"metadata": {"tokens": 10}})
        await Counting(redis).process_events(organization.id)
        await watch(100)
        await watch(5)
        await wait_until_triggered(before + 1)
        more = {"metadata": {"tokens": 90}}
        await ingest(client, token, more, {**more, "externalCustomerId": "c2"})
        await Counting(redis).process_events(organization.id)
        await wait_until_triggered(before + 3)


async def test_metrics_are_served_while_the_servers_are_away() -> None:
    settings = Settings(
        database_url="postgresql://metergraph@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1"
    )
    async with in_process(settings) as (_, client):
        numbers = await scraped(client)
    assert numbers["metergraph_database_up", ""] == 0
    assert numbers["metergraph_redis_up", ""] == 0
    assert numbers["metergraph_subscribers", ""] == 0
    assert ("metergraph_batches_pending", "") not in numbers


async def test_measurements_taken_while_redis_is_away_are_not_lost(redis: ArqRedis) -> None:
    measurements = Measurements(redis)
    measurements.counted(uuid4(), 10, 0.02)
    pool, redis.connection_pool = redis.connection_pool, ArqRedis(port=1).connection_pool
    await measurements.flush()
    redis.connection_pool = pool
    measurements.counted(uuid4(), 20, 99)
    await measurements.flush()
    assert await read_measurements(redis) == {
        "counting.steps.0.025": 1,
        "counting.steps.inf": 1,
        "counting.events": 30,
        "counting.seconds": 99.02,
    }
