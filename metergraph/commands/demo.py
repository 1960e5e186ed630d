"""`metergraph demo`: streams plausible events, so that dashboards have something to show."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import click

from config.settings import Settings, get_settings
from metergraph.api_client import ApiClient, ApiError
from metergraph.arguments import Api, api_options, find_api
from metergraph.database.with_database import run_with_database
from metergraph.demo.billing import ensure_demo_billing
from metergraph.demo.events import demo_events
from metergraph.demo.organization import SLUG
from models import Meter, Organization

_MOST_IN_ONE_REQUEST = 1_000
_SHORTEST_PAUSE_SECONDS = 0.05
_SECONDS_BETWEEN_LINES = 5.0

_MADE = "Made the AI plan, with subscribers and two billed months."
_NOT_MADE = (
    "The demo organization already has a product, so no plan, subscribers or billed months are"
    " added. To start over, stop `make run` and run `rm -rf .metergraph`."
)
_INGEST = """
mutation Demo($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) {
    inserted userErrors { message }
  }
}
"""


@click.command()
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=10_000),
    default=20.0,
    show_default=True,
    help="Events per second.",
)
@click.option(
    "--duration", type=click.FloatRange(min=0), help="In seconds.  [default: until Ctrl-C]"
)
@click.option("--seed", type=int, help="Makes the events reproducible.")
@api_options
def command(
    rate: float, duration: float | None, seed: int | None, url: str | None, token: str | None
) -> None:
    """Stream plausible events of several customers to the API.

    The demo organization of `metergraph dev` first gets a plan with subscribers and two billed
    months, unless it already has a product.
    """
    api = find_api(get_settings(), url, token)
    if url is None and token is None:
        run_with_database(make_billing)
    stream = _Stream(demo_events(seed), rate, duration)
    click.echo(
        f"Streaming {rate:g} events per second to {api.url}. Press Ctrl-C to stop.", err=True
    )
    try:
        asyncio.run(stream.run(api))
    except KeyboardInterrupt:
        pass
    finally:
        click.echo(f"{stream.sent:,} events sent.")


async def make_billing(_settings: Settings) -> None:
    """Makes the demo's plan and its history if nothing is sold yet, and says so."""
    organization = await Organization.get_or_none(slug=SLUG)
    if organization is not None:
        meter = await Meter.filter(organization_id=organization.id).order_by("id").first()
        if meter is not None:
            made = await ensure_demo_billing(organization.id, meter.id)
            _say(_MADE if made else _NOT_MADE)


class _Stream:
    """Sends the events that are due in one request, so that the rate does not depend on the API.

    `sent` counts the stored events.
    """

    def __init__(
        self, events: Iterator[dict[str, Any]], rate: float, duration: float | None
    ) -> None:
        self.sent = 0
        # Another run with the same seed sends equal events, but not the same ones.
        run = secrets.token_hex(6)
        self._events = (
            {**event, "externalId": f"demo-{run}-{number}"}
            for number, event in zip(count(1), events, strict=False)
        )
        self._rate = rate
        self._duration = duration

    async def run(self, api: Api) -> None:
        """Streams for the duration, or until it is cancelled.

        Raises:
            ApiError: the API refuses, or stays away.
        """
        started = said = time.monotonic()
        async with ApiClient(api.url, api.token, on_retry=_say) as client:
            while True:
                now = time.monotonic()
                elapsed = now - started
                if self._duration is not None:
                    elapsed = min(elapsed, self._duration)
                await self._send(client, int(elapsed * self._rate) - self.sent)
                if elapsed == self._duration:
                    return
                if now - said >= _SECONDS_BETWEEN_LINES:
                    said = now
                    _say(f"{self.sent:,} events sent")
                await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, 1 / self._rate))

    async def _send(self, client: ApiClient, due: int) -> None:
        while due > 0:
            events = list(islice(self._events, min(due, _MOST_IN_ONE_REQUEST)))
            stored = (await client.execute(_INGEST, {"events": events}))["eventsIngest"]
            if stored["userErrors"]:
                raise ApiError(f"The API refuses: {stored['userErrors'][0]['message']}")
            self.sent += len(events)
            due -= len(events)


def _say(message: str) -> None:
    click.echo(message, err=True)
