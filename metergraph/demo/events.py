"""Plausible events of the customers: calls of language models, videos and uploaded files.

Most are small and a few are very large, as in reality.
"""

import random
from collections.abc import Iterator
from typing import Any

from metergraph.demo.customers import CUSTOMERS, Habits

_FILES = {"application/pdf": 400_000, "image/jpeg": 1_500_000, "text/csv": 90_000}
# What a call is for, by the most tokens that its prompt has.
_KINDS = ((250, "autocomplete"), (2_500, "chat"))
_LONGEST_KIND = "agent"
_RESOLUTIONS = ("480p", "720p", "1080p", "2160p")


def demo_events(seed: int | None) -> Iterator[dict[str, Any]]:
    """Yields events for ever, with the keys of EventInput; equal ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311  # a demonstration, not a secret
    customers = [customer for customer in CUSTOMERS if customer.canceled_days_ago is None]
    activities = [customer.activity for customer in customers]
    while True:
        [customer] = chance.choices(customers, activities)
        name, metadata = demo_event(chance, customer.habits_now)
        yield {"name": name, "externalCustomerId": customer.external_id, "metadata": metadata}


def demo_event(chance: random.Random, habits: Habits) -> tuple[str, dict[str, Any]]:
    """Makes the name and the metadata of an event of a customer with these habits."""
    [make] = chance.choices((_ai_usage, _video_streamed, _file_uploaded), habits.mix)
    return make(chance, habits)


def _ai_usage(chance: random.Random, habits: Habits) -> tuple[str, dict[str, Any]]:
    weights = [3**-place for place in range(len(habits.models))]
    [model] = chance.choices(habits.models, weights)
    prompt = 1 + int(habits.context * chance.lognormvariate(6.5, 1.1))
    completion = 1 + int(chance.lognormvariate(5.3, 0.9))
    return "ai_usage", {
        "model": model,
        "kind": next((kind for most, kind in _KINDS if prompt <= most), _LONGEST_KIND),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _video_streamed(chance: random.Random, _habits: Habits) -> tuple[str, dict[str, Any]]:
    return "video_streamed", {
        "video": f"video-{1 + int(chance.paretovariate(1.2))}",
        "resolution": chance.choice(_RESOLUTIONS),
        "duration": 1 + int(chance.lognormvariate(5.0, 1.2)),
    }


def _file_uploaded(chance: random.Random, _habits: Habits) -> tuple[str, dict[str, Any]]:
    content_type = chance.choice(tuple(_FILES))
    return "file_uploaded", {
        "content_type": content_type,
        "size": 1 + int(_FILES[content_type] * chance.lognormvariate(0, 1.0)),
    }
