"""What the endpoints for events share: rate limits, outages, turns, metrics and browsers."""

import asyncio
from typing import Any

import httpx
import pytest

from config.settings import Settings
from metergraph.asgi import metrics
from models import Organization
from tests.browser import Browser
from tests.graphql_client import Api
from tests.postgres import locked
from tests.serving import in_process, new_token, served
from tests.transport.cloud_events import BATCH, STRUCTURED, cloud_event, sent_batch, stored
from tests.transport.test_large_calls import Pieces, pieces
from tests.transport.test_rate_limits import limited

__all__ = ["pieces"]  # a fixture

CLOUD = ("/events", STRUCTURED, cloud_event())
POLAR_EVENT = {"name": "n", "external_customer_id": "c", "external_id": "1"}
POLAR = ("/v1/events/ingest", "application/json", {"events": [POLAR_EVENT]})
BOTH = pytest.mark.parametrize("way", [CLOUD, POLAR], ids=["cloudevents", "polar"])
Way = tuple[str, str, Any]


async def send(client: httpx.AsyncClient, way: Way, **headers: str) -> httpx.Response:
    """The response to an event."""
    path, media, body = way
    return await client.post(path, json=body, headers={"content-type": media, **headers})


@BOTH
@pytest.mark.usefixtures("redis", "patience")
async def test_requests_are_limited_as_operations_are(
    settings: Settings, organization: Organization, way: Way
) -> None:
    async with limited(settings, organization, "2/hour") as client:
        statuses = [(await send(client, way)).status_code for _ in range(2)]
        operation = await client.post("/graphql", json={"query": "{ organization { name } }"})
        refused = await send(client, way)
    assert statuses == [200, 200]
    assert (operation.status_code, refused.status_code) == (429, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 3_600


@BOTH
@pytest.mark.parametrize("table", ["event_batch", "access_token"])
@pytest.mark.usefixtures("fresh_database")
async def test_what_is_cut_off_can_be_sent_again(
    settings: Settings, organization: Organization, table: str, way: Way
) -> None:
    token = await new_token(organization)
    hasty = settings.model_copy(update={"statement_timeout_seconds": 0.2})
    headers = {"authorization": f"Bearer {token}"}
    async with (
        served(hasty) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):
        async with locked(settings, table):
            refused = await send(client, way)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        found: list[tuple[int, int]] = []
        async with asyncio.timeout(60):
            while len(found) < 2:  # a busy machine cuts off more
                again = await send(client, way)
                if again.status_code != 503:
                    found.append((again.json()["inserted"], again.json()["duplicates"]))
        # An attempt that was cut off may have stored the event.
        assert found[0] in {(1, 0), (0, 1)}
        assert found[1] == (0, 1)


@pytest.mark.usefixtures("fresh_database")
async def test_a_query_during_an_outage_is_told_when_to_come_back(
    settings: Settings, organization: Organization
) -> None:
    headers = {"authorization": f"Bearer {await new_token(organization)}"}
    hasty = settings.model_copy(update={"statement_timeout_seconds": 0.2})
    query = ("/graphql", "application/json", {"query": "{ organization { name } }"})
    async with (
        served(hasty) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
        locked(settings, "access_token"),
    ):
        refused = await send(client, query)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


@pytest.mark.usefixtures("fresh_database")
async def test_an_event_that_could_be_stored_twice_is_not_to_be_repeated(
    settings: Settings, organization: Organization
) -> None:
    token = await new_token(organization)
    hasty = settings.model_copy(update={"statement_timeout_seconds": 0.2})
    headers = {"authorization": f"Bearer {token}"}
    way = (POLAR[0], POLAR[1], {"events": [{**POLAR_EVENT, "external_id": None}]})
    async with (
        served(hasty) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
        locked(settings, "event_batch"),
        asyncio.timeout(60),
    ):
        # On a busy machine, the token's lookup may be cut off instead, which can be repeated.
        while "retry-after" in (refused := await send(client, way)).headers:
            pass
    assert refused.status_code == 503
    assert "externalId" in refused.json()["detail"]


async def test_others_are_answered_between_the_pieces_of_a_large_batch(
    api: Api, other_api: Api, organization: Organization, pieces: Pieces
) -> None:
    sent = [cloud_event(id=str(number), data={"filler": "x" * 400}) for number in range(450)]
    large = asyncio.create_task(sent_batch(api, *sent))
    # Before it is read and after, by its size, and before each 200 events but the first.
    for count in range(1, 5):
        await pieces.until(count)
        small = await sent_batch(other_api, cloud_event(id=str(count)))
        assert small.json()["inserted"] == 1
        assert not large.done()
        pieces.go_on()
    assert (await large).json()["inserted"] == 450
    assert [key for key, _ in pieces.asked] == [organization.id] * 4


async def test_metrics_count_the_events(
    settings: Settings, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_SECONDS", 60.0)
    headers = {"authorization": f"Bearer {await new_token(organization)}"}
    async with in_process(settings) as (_app, client):
        for way in (CLOUD, POLAR, POLAR):
            assert (await send(client, way, **headers)).status_code == 200
        bad: Way = (CLOUD[0], BATCH, [{}])
        assert (await send(client, bad, **headers)).status_code == 400
        shown = (await client.get("/metrics")).text
    for status, count in (("INSERTED", 2), ("DUPLICATE", 1), ("REJECTED", 1)):
        assert f'metergraph_events_ingested_total{{status="{status}"}} {count}.0' in shown


@BOTH
async def test_a_signed_in_browser_is_not_accepted(
    browser: Browser, token: str, api: Api, way: Way
) -> None:
    """Its own pages use the mutation; a page of another origin can do nothing here."""
    await browser.sign_in(token)
    for headers in (browser.headers(), browser.headers(sec_fetch_site="cross-site")):
        response = await send(browser.http, way, **{**headers, "content-type": way[1]})
        assert response.status_code == 401
    assert (await browser.post("{ me { __typename } }")).json()["data"] is not None
    assert await stored(api) == []


async def test_a_browser_that_visits_the_address_gets_the_dashboard(settings: Settings) -> None:
    async with in_process(settings) as (_app, client):
        visit = await client.get("/events", headers={"accept": "text/html,*/*;q=0.8"})
        assert visit.status_code == 200
        assert visit.headers["content-type"] == "text/html; charset=utf-8"
        program = await client.get("/events", headers={"accept": "*/*"})
        assert (program.status_code, program.headers["allow"]) == (405, "POST")
