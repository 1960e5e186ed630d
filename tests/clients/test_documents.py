"""The examples of the Python client's README and of docs/clients.md, as a reader would run them."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from openai.types.chat import ChatCompletion

from metergraph_client import Event
from metergraph_client.llm import openai_events
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import create_meter
from schema.ids import encode_id
from tests.clients.llm_responses import CHAT
from tests.clients.models import served_models
from tests.clients.world import CLIENT, SECONDS, MakeClient, World
from tests.contract.server import counted
from tests.ingesting import drain

README = (CLIENT / "README.md").read_text()
GUIDE = (CLIENT.parents[1] / "docs" / "clients.md").read_text()

pytestmark = pytest.mark.servers


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


async def test_the_examples_of_the_readme_run_in_their_order(
    world: World, make_client: MakeClient, redis: ArqRedis, tmp_path: Path
) -> None:
    aggregation = Aggregation(AggregationFunction.SUM, "tokens")
    meter = await create_meter(world.organization.id, "AI usage", "token", Filter(), aggregation)
    environment = {
        "METERGRAPH_API_URL": world.url,
        "METERGRAPH_TOKEN": world.token,
        "METER": encode_id("Meter", meter.id),
        "PYTHONPATH": str(CLIENT),
    }
    said: list[str] = []
    with served_models() as models:
        async with counted(redis, world.organization.id):
            for text in blocks(README, "python"):
                # A busy machine may take longer than an application would wait.
                patient = text.replace("timeout=0.2", "timeout=60")
                said.append(await run(patient, tmp_path, {**environment, **models}))
                while not make_client().customer_meters("acme"):  # noqa: ASYNC110  # of a worker
                    await asyncio.sleep(0.02)
    first, losses, handler, over_asyncio, questions, responses, stream = said
    assert first.startswith("1 event is stored\n")
    assert (losses, handler, over_asyncio, responses) == ("", "", "", "")
    assert questions == "False\n[{'externalId': 'acme'}]\n"
    assert stream == "Hi\n there\n\n"
    found = make_client().execute('{ events(filter: {names: ["ai_usage"]}) { totalCount } }')
    assert found == {"events": {"totalCount": 1 + 2 + 4 + 6 + 4}}


async def run(text: str, folder: Path, environment: dict[str, str]) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", text],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), text
    return done.stdout


async def test_the_tokens_of_the_guide_are_priced_by_model_and_kind(
    world: World, make_client: MakeClient
) -> None:
    client = make_client()
    make_meter, make_plan, usage = blocks(GUIDE, "graphql")
    meter = client.execute(make_meter)["meterCreate"]["meter"]["id"]
    product = client.execute(make_plan, {"meter": meter})["productCreate"]["product"]["id"]
    subscribe = """mutation ($product: ID!) {
      customerCreate(input: {externalId: "acme"}) { userErrors { message } }
      customerSubscriptionCreate(input: {externalCustomerId: "acme", productId: $product}) {
        subscription { id } userErrors { message }
      }
    }"""
    client.execute(subscribe, {"product": product})
    template = Event("ai_usage", external_customer_id="acme")
    for _ in range(1_000):
        client.ingest_events(openai_events(ChatCompletion.model_validate(CHAT), template))
    client.flush(SECONDS)
    await drain(world.organization.id)
    upcoming = """{ customer(externalId: "acme") { subscriptions { nodes { upcomingInvoice {
      lines { kind amount billableUnits }
    } } } } }"""
    [subscription] = client.execute(upcoming)["customer"]["subscriptions"]["nodes"]
    lines = [
        (line["billableUnits"], line["amount"])
        for line in subscription["upcomingInvoice"]["lines"]
        if line["kind"] == "METERED"
    ]
    # 40,000 at 0.0002, 60,000 at 0.00005, and 50,000 at 0.0008 cents.
    assert lines == [("40000", 8), ("60000", 3), ("50000", 40)]
    day = {"start": "2026-01-01T00:00:00Z", "end": "2040-01-01T00:00:00Z"}
    found = client.execute(usage.replace("DAY", "YEAR"), {"meter": meter, **day})
    groups: list[Any] = found["node"]["quantities"]["groups"]
    assert {group["values"][1]["value"]: group["total"] for group in groups} == {
        "input": "40000",
        "cached_input": "60000",
        "output": "30000",
        "reasoning": "20000",
    }
    assert found["node"]["quantities"]["total"] == "150000"


def test_the_guide_and_the_readmes_link_to_what_exists() -> None:
    pages = [CLIENT / "README.md", CLIENT.parent / "typescript" / "README.md"]
    for page in (*pages, CLIENT.parents[1] / "docs" / "clients.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert (page.parent / target).exists(), (page, target)
