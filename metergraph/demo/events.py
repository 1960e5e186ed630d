"""Plausible events of a few customers: calls of language models, videos and uploaded files.

Most are small and a few are very large, as in reality. Each customer has its own habits.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FILES = {"application/pdf": 400_000, "image/jpeg": 1_500_000, "text/csv": 90_000}
_RESOLUTIONS = ("480p", "720p", "1080p", "2160p")


@dataclass(frozen=True)
class DemoCustomer:
    """A customer's habits.

    `activity` is its share among the customers; `models` are the models that it calls, the
    favourite first; `mix` weighs calls, videos and files.
    """

    external_id: str
    activity: int
    models: tuple[str, ...]
    mix: tuple[int, int, int]


CUSTOMERS = (
    DemoCustomer("acme", 30, ("gpt-4.1", "gpt-4.1-mini"), (8, 1, 1)),
    DemoCustomer("globex", 20, ("claude-sonnet-4", "gpt-4.1-mini"), (9, 0, 1)),
    DemoCustomer("initech", 15, ("gpt-4.1-mini",), (3, 1, 6)),
    DemoCustomer("hooli", 15, ("llama-3.3-70b", "gpt-4.1"), (2, 7, 1)),
    DemoCustomer("umbrella", 10, ("claude-sonnet-4",), (5, 0, 5)),
    DemoCustomer("wonka", 5, ("gpt-4.1-mini", "llama-3.3-70b"), (1, 3, 1)),
)


def demo_events(seed: int | None) -> Iterator[dict[str, Any]]:
    """Yields events for ever, with the keys of EventInput; equal ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311  # a demonstration, not a secret
    activities = [customer.activity for customer in CUSTOMERS]
    while True:
        [customer] = chance.choices(CUSTOMERS, activities)
        [make] = chance.choices((_ai_usage, _video_streamed, _file_uploaded), customer.mix)
        name, metadata = make(chance, customer)
        yield {"name": name, "externalCustomerId": customer.external_id, "metadata": metadata}


def _ai_usage(chance: random.Random, customer: DemoCustomer) -> tuple[str, dict[str, Any]]:
    weights = [3**-place for place in range(len(customer.models))]
    [model] = chance.choices(customer.models, weights)
    prompt = 1 + int(chance.lognormvariate(6.5, 1.1))
    completion = 1 + int(chance.lognormvariate(5.3, 0.9))
    return "ai_usage", {
        "model": model,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _video_streamed(chance: random.Random, _customer: DemoCustomer) -> tuple[str, dict[str, Any]]:
    return "video_streamed", {
        "video": f"video-{1 + int(chance.paretovariate(1.2))}",
        "resolution": chance.choice(_RESOLUTIONS),
        "duration": 1 + int(chance.lognormvariate(5.0, 1.2)),
    }


def _file_uploaded(chance: random.Random, _customer: DemoCustomer) -> tuple[str, dict[str, Any]]:
    content_type = chance.choice(tuple(_FILES))
    return "file_uploaded", {
        "content_type": content_type,
        "size": 1 + int(_FILES[content_type] * chance.lognormvariate(0, 1.0)),
    }
