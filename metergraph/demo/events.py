"""Plausible events of the customers: calls of language models, videos and uploaded files.

A call of a model is an event for each kind of token, because each kind has a price of its own. Most
are small and a few are very large, as in reality.
"""

import random
from collections.abc import Iterator
from typing import Any

from metergraph.demo.customers import CUSTOMERS, Habits

_FILES = {"application/pdf": 400_000, "image/jpeg": 1_500_000, "text/csv": 90_000}
# What a call is for, by the most tokens that its prompt has.
_FEATURES = ((450, "autocomplete"), (4_500, "chat"))
_LONGEST_FEATURE = "agent"
# Of calls with long prompts, and of such a prompt: what the model has seen in an earlier call.
_CALLS_WITH_CACHE = 0.35
_CACHED = (0.3, 0.9)
_RESOLUTIONS = ("480p", "720p", "1080p", "2160p")


def demo_events(seed: int | None) -> Iterator[dict[str, Any]]:
    """Yields events for ever, with the keys of EventInput; equal ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311  # a demonstration, not a secret
    customers = [customer for customer in CUSTOMERS if customer.canceled_days_ago is None]
    activities = [customer.activity for customer in customers]
    while True:
        [customer] = chance.choices(customers, activities)
        for name, metadata in demo_request(chance, customer.habits_now):
            yield {"name": name, "externalCustomerId": customer.external_id, "metadata": metadata}


def demo_request(chance: random.Random, habits: Habits) -> list[tuple[str, dict[str, Any]]]:
    """Makes the names and the metadata of the events of one request with these habits."""
    [make] = chance.choices((_model_called, _video_streamed, _file_uploaded), habits.mix)
    return make(chance, habits)


def _model_called(chance: random.Random, habits: Habits) -> list[tuple[str, dict[str, Any]]]:
    weights = [3**-place for place in range(len(habits.models))]
    [model] = chance.choices(habits.models, weights)
    prompt = 1 + int(habits.context * chance.lognormvariate(7.1, 1.1))
    feature = next((name for most, name in _FEATURES if prompt <= most), _LONGEST_FEATURE)
    cached = 0
    if feature != _FEATURES[0][1] and chance.random() < _CALLS_WITH_CACHE:
        cached = int(prompt * chance.uniform(*_CACHED))
    tokens = {
        "input": prompt - cached,
        "cached_input": cached,
        "output": 1 + int(chance.lognormvariate(5.9, 0.9)),
    }
    return [
        ("ai_usage", {"model": model, "kind": kind, "tokens": count, "feature": feature})
        for kind, count in tokens.items()
        if count
    ]


def _video_streamed(chance: random.Random, _habits: Habits) -> list[tuple[str, dict[str, Any]]]:
    metadata = {
        "video": f"video-{1 + int(chance.paretovariate(1.2))}",
        "resolution": chance.choice(_RESOLUTIONS),
        "duration": 1 + int(chance.lognormvariate(5.0, 1.2)),
    }
    return [("video_streamed", metadata)]


def _file_uploaded(chance: random.Random, _habits: Habits) -> list[tuple[str, dict[str, Any]]]:
    content_type = chance.choice(tuple(_FILES))
    metadata = {
        "content_type": content_type,
        "size": 1 + int(_FILES[content_type] * chance.lognormvariate(0, 1.0)),
    }
    return [("file_uploaded", metadata)]
