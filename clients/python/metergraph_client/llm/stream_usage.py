"""What the chunks of a stream say about its usage. Reads chunks, and keeps none."""

from types import SimpleNamespace
from typing import Protocol

from metergraph_client.llm.usage import Tokens, anthropic_tokens, openai_tokens


class StreamUsage(Protocol):
    """Sees each chunk of a stream."""

    def see(self, chunk: object) -> None:
        """Notes what a chunk says."""

    @property
    def is_complete(self) -> bool:
        """Whether the final numbers were seen."""

    def tokens(self) -> Tokens | None:
        """What is known so far, if anything."""


class OpenAIStreamUsage:
    """Streams of chat completions, which have their usage in the last chunk if they were asked to
    include it, and of the responses API, which have it in the event that ends them.
    """  # noqa: D205  # one sentence

    def __init__(self) -> None:
        self._model: object = None
        self._usage: object = None

    def see(self, chunk: object) -> None:
        """Notes the usage; the last one counts."""
        owner = getattr(chunk, "response", None) or chunk
        usage = getattr(owner, "usage", None)
        if usage is not None:
            self._model, self._usage = getattr(owner, "model", None), usage

    @property
    def is_complete(self) -> bool:
        """Whether there was a usage."""
        return self._usage is not None

    def tokens(self) -> Tokens | None:
        """The tokens of that usage."""
        return openai_tokens(self._model, self._usage) if self.is_complete else None


class AnthropicStreamUsage:
    """Streams of messages: the first event has the prompt's tokens, later ones those of the answer
    so far.
    """  # noqa: D205  # one sentence

    def __init__(self) -> None:
        self._model: object = None
        self._usage: dict[str, object] = {}
        self.is_complete = False

    def see(self, chunk: object) -> None:
        """Notes the numbers, which are cumulative."""
        kind = getattr(chunk, "type", None)
        if kind == "message_start":
            message = getattr(chunk, "message", None)
            self._model = getattr(message, "model", None)
            self._note(getattr(message, "usage", None))
        elif kind == "message_delta":
            self._note(getattr(chunk, "usage", None))
        elif kind == "message_stop":
            self.is_complete = True

    def tokens(self) -> Tokens | None:
        """The tokens so far."""
        if not self._usage:
            return None
        return anthropic_tokens(self._model, SimpleNamespace(**self._usage))

    def _note(self, usage: object) -> None:
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation",
            "output_tokens_details",
        ):
            value = getattr(usage, name, None)
            if value is not None:
                self._usage[name] = value
