"""`metergraph demo`: makes 90 days of history, then streams plausible events."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from functools import partial
from itertools import count, islice
from typing import Any

import click

from config.settings import Settings, get_settings
from metergraph.api_client import ApiClient, ApiError
from metergraph.arguments import Api, api_options, find_api
from metergraph.database.with_database import run_with_database
from metergraph.demo.events import demo_events
from metergraph.demo.filling import SEED, fill
from metergraph.demo.history import DAYS
from metergraph.demo.organization import SLUG
from models import Organization

_MOST_IN_ONE_REQUEST = 1_000
_SHORTEST_PAUSE_SECONDS = 0.05
_SECONDS_BETWEEN_LINES = 5.0

_NOT_MADE = (
    "The demo organization already has a product or lacks one of its meters, so no history is made."
    " To start over, stop `make run` and run `rm -rf .metergraph`."
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
    """Stream plausible events of some thirty customers to the API.

    First, the demo organization of `metergraph dev` gets 90 days of history: customers, events, two
    plans, subscriptions and invoices. If it already has a product, it is left as it is. For the
    history alone, use `--duration 0`.
    """
    api = find_api(get_settings(), url, token)
    if url is None and token is None:
        run_with_database(partial(make_history, seed=SEED if seed is None else seed))
    if duration == 0:
        return
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


async def make_history(settings: Settings, seed: int = SEED) -> None:
    """Makes the demo organization's history if nothing is sold yet, and says what there is."""
    organization = await Organization.get_or_none(slug=SLUG)
    if organization is None:
        return
    started = time.monotonic()
    made = await fill(settings, organization, seed)
    if made is None:
        _say(_NOT_MADE)
        return
    _say(
        f"Filled the demo organization with {DAYS} days in {time.monotonic() - started:.1f} s:\n"
        f"  {made.customers:,} customers, {made.events:,} events,\n"
        f"  {made.products:,} products, {made.subscriptions:,} subscriptions, "
        f"{made.invoices:,} invoices."
    )


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
                raise ApiError(f"The API refused the request: {stored['userErrors'][0]['message']}")
            self.sent += len(events)
            due -= len(events)


def _say(message: str) -> None:
    click.echo(message, err=True)
