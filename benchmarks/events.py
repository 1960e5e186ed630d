"""The events that are sent: calls of a language model by a hundred customers, just now."""

import random
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from models import exact_json

CUSTOMERS = tuple(f"customer-{number}" for number in range(100))

COUNTS = """
mutation Ingest($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) {
    inserted duplicates conflicts rejected userErrors { message }
  }
}
"""
RECEIPTS = """
mutation Ingest($events: [EventInput!]!) {
  eventsIngest(input: {events: $events}) {
    inserted receipts { index status eventId error { message } } userErrors { message }
  }
}
"""


def events(count: int) -> Iterator[dict[str, Any]]:
    """New events, with external ids that were never used."""
    run = secrets.token_hex(4)
    chance = random.Random(run)  # noqa: S311  # numbers, not secrets
    now = datetime.now(UTC)
    for number in range(count):
        prompt, completion = chance.randrange(2_000), chance.randrange(800)
        yield {
            "name": "ai_usage",
            "externalCustomerId": CUSTOMERS[number % len(CUSTOMERS)],
            "externalId": f"{run}-{number}",
            "timestamp": (now - timedelta(milliseconds=chance.randrange(10_000))).isoformat(),
            "metadata": {
                "model": "gpt-4.1",
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }


def bodies(count: int, batch: int, query: str = COUNTS) -> list[bytes]:
    """Requests that ingest `count` new events, `batch` in each."""
    made = list(events(count))
    return [
        exact_json.dumps(
            {"query": query, "variables": {"events": made[start : start + batch]}}
        ).encode()
        for start in range(0, count, batch)
    ]


def cloud_event_batches(count: int, batch: int) -> list[bytes]:
    """The same requests for `POST /events`, as batches of CloudEvents."""
    made = [
        {
            "specversion": "1.0",
            "source": "/benchmark",
            "id": event["externalId"],
            "type": event["name"],
            "subject": event["externalCustomerId"],
            "time": event["timestamp"],
            "data": event["metadata"],
        }
        for event in events(count)
    ]
    return [
        exact_json.dumps(made[start : start + batch]).encode() for start in range(0, count, batch)
    ]
