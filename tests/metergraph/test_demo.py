"""`metergraph demo` streams events, and the demo organization has a name."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph.demo.customers import CUSTOMERS
from metergraph.demo.events import demo_events
from metergraph.demo.organization import SLUG, ensure_demo_organization
from metering.ingest.events import EventDraft, check_event
from models import Customer, Event, Meter, Organization
from schema.context import Scope
from tests.ingesting import NOON
from tests.serving import new_token, served

_SUMMED = {"ai_usage": "tokens", "video_streamed": "duration", "file_uploaded": "size"}


async def test_the_demo_organization_has_a_name_for_its_customers(
    fresh_database: BaseDBAsyncClient, tmp_path: Path
) -> None:
    await ensure_demo_organization(tmp_path)
    assert (await Organization.get(slug=SLUG)).display_name == "Demo Cloud"


async def test_the_demos_meters_have_dimensions_with_a_few_values_each(
    fresh_database: BaseDBAsyncClient, tmp_path: Path
) -> None:
    await ensure_demo_organization(tmp_path)
    events = list(islice(demo_events(1), 5_000))
    for meter in await Meter.all():
        counted = [event for event in events if event["name"] in (meter.event_names or [])]
        # What lasts has no dimensions.
        assert bool(meter.dimensions) is (meter.aggregation_function == "SUM"), meter.name
        for dimension in meter.dimensions:
            values = Counter(event["metadata"][dimension] for event in counted)
            assert 3 <= len(values) <= 8, dimension
            assert min(values.values()) > len(counted) / 100, values


def test_the_same_seed_gives_the_same_events() -> None:
    def first(seed: int) -> list[object]:
        return list(islice(demo_events(seed), 50))

    assert first(7) == first(7)
    assert first(7) != first(8)


def test_every_event_is_valid_and_has_what_the_demos_meters_sum() -> None:
    events = list(islice(demo_events(1), 5_000))
    for event in events:
        assert isinstance(check_event(event, NOON, lambda _id: None), EventDraft)
        assert event["metadata"][_SUMMED[event["name"]]] > 0
    names = Counter(event["name"] for event in events)
    assert names.keys() == _SUMMED.keys()
    assert names["ai_usage"] > 2_000
    customers = Counter(event["externalCustomerId"] for event in events)
    assert customers.keys() == {
        customer.external_id for customer in CUSTOMERS if customer.canceled_days_ago is None
    }


@pytest.fixture
async def environment(
    settings: Settings, organization: Organization
) -> AsyncIterator[dict[str, str]]:
    """The environment of a command that finds the API."""
    async with served(settings) as url:
        token = await new_token(organization, Scope.EVENTS_WRITE)
        yield {**os.environ, "METERGRAPH_API_URL": url, "METERGRAPH_TOKEN": token}


async def demo(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "metergraph", "demo", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_streams_as_many_events_as_rate_and_duration_say(
    environment: dict[str, str], organization: Organization
) -> None:
    process = await demo(environment, "--rate", "200", "--duration", "1", "--seed", "3")
    out, err = await asyncio.wait_for(process.communicate(), 180)
    assert (process.returncode, out) == (0, b"200 events sent.\n")
    assert err.startswith(b"Streaming 200 events per second to http://127.0.0.1:")
    stored = await Event.filter(organization_id=organization.id).order_by("id")
    expected = list(islice(demo_events(3), 200))
    assert [(event.name, event.metadata) for event in stored] == [
        (event["name"], event["metadata"]) for event in expected
    ]
    customers = await Customer.filter(organization_id=organization.id)
    assert {customer.external_id for customer in customers} == {
        event["externalCustomerId"] for event in expected
    }


async def test_ctrl_c_ends_it_with_what_was_sent(
    environment: dict[str, str], organization: Organization
) -> None:
    process = await demo(environment, "--rate", "100")
    async with asyncio.timeout(180):
        while not await Event.exists(organization_id=organization.id):
            pass
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 180)
    assert process.returncode == 0
    assert out.endswith(b" events sent.\n")
    assert b"Traceback" not in err
