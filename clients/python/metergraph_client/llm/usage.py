"""Which tokens a language model's response used, by kind. Does no I/O.

The kinds do not overlap, so their sum is the total. What the SDKs report does overlap: OpenAI's
prompt tokens include cached ones, and output tokens of both include those of reasoning.

Nothing of an SDK is imported; responses are read by the names of their attributes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from metergraph_client.events import Event

Kind = Literal["input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning"]
"""
input: tokens of the prompt that no other kind has.
cached_input: tokens of the prompt that were read from a cache.
cache_write: tokens of the prompt that were written to a cache.
cache_write_1h: the same, to Anthropic's cache of one hour.
output: tokens of the answer, without those of reasoning.
reasoning: tokens of the answer that the model thought with.
"""


class HasUsage(Protocol):
    """A response of an SDK: a chat completion, a response, embeddings, or a message."""

    @property
    def model(self) -> Any:
        """The model's name."""

    @property
    def usage(self) -> Any:
        """The SDK's usage object, or None."""


@dataclass(frozen=True)
class Tokens:
    """How many tokens of each kind a model used; kinds without tokens are left out."""

    model: str
    by_kind: dict[Kind, int]


def openai_tokens(model: object, usage: object) -> Tokens:
    """Reads the usage of a chat completion, of the responses API, or of embeddings."""
    prompt, answer = "prompt_tokens", "completion_tokens"
    if not hasattr(usage, prompt):
        prompt, answer = "input_tokens", "output_tokens"
    read = getattr(usage, f"{prompt}_details", None)
    written = getattr(usage, f"{answer}_details", None)
    total, out = _count(usage, prompt), _count(usage, answer)
    cached = min(_count(read, "cached_tokens"), total)
    cache_write = min(_count(read, "cache_write_tokens"), total - cached)
    reasoning = min(_count(written, "reasoning_tokens"), out)
    return _tokens(
        model,
        ("input", total - cached - cache_write),
        ("cached_input", cached),
        ("cache_write", cache_write),
        ("output", out - reasoning),
        ("reasoning", reasoning),
    )


def anthropic_tokens(model: object, usage: object) -> Tokens:
    """Reads the usage of a message."""
    out = _count(usage, "output_tokens")
    details = getattr(usage, "output_tokens_details", None)
    reasoning = min(_count(details, "thinking_tokens"), out)
    cache_write = _count(usage, "cache_creation_input_tokens")
    by_time = getattr(usage, "cache_creation", None)
    hour = min(_count(by_time, "ephemeral_1h_input_tokens"), cache_write)
    return _tokens(
        model,
        ("input", _count(usage, "input_tokens")),
        ("cached_input", _count(usage, "cache_read_input_tokens")),
        ("cache_write", cache_write - hour),
        ("cache_write_1h", hour),
        ("output", out - reasoning),
        ("reasoning", reasoning),
    )


def token_events(tokens: Tokens, like: Event) -> list[Event]:
    """An event for each kind: `like`, with model, kind and tokens in its metadata."""
    return [
        Event(
            name=like.name,
            external_customer_id=like.external_customer_id,
            customer_id=like.customer_id,
            external_id=like.external_id and f"{like.external_id}:{kind}",
            timestamp=like.timestamp,
            metadata={**like.metadata, "model": tokens.model, "kind": kind, "tokens": count},
        )
        for kind, count in tokens.by_kind.items()
    ]


def _count(owner: object, name: str) -> int:
    return getattr(owner, name, None) or 0


def _tokens(model: object, *counts: tuple[Kind, int]) -> Tokens:
    used: Iterable[tuple[Kind, int]] = ((kind, count) for kind, count in counts if count > 0)
    return Tokens(str(model), dict(used))
