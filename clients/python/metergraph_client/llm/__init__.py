"""Events of what language models used: one for each model and kind of token.

For a meter that sums `tokens` with the dimensions `model` and `kind`:

    client.ingest_events(openai_events(response, Event("ai_usage", external_customer_id="acme")))

    with openai_stream(stream, client, Event("ai_usage", external_customer_id="acme")) as chunks:
        for chunk in chunks: ...
"""

import logging
from collections.abc import AsyncIterable, Iterable
from typing import TypeVar, overload

from metergraph_client.events import Event
from metergraph_client.llm.stream_usage import (
    AnthropicStreamUsage,
    OpenAIStreamUsage,
    StreamUsage,
)
from metergraph_client.llm.streams import (
    AsyncRecordedStream,
    RecordedStream,
    Recorder,
    Recording,
)
from metergraph_client.llm.usage import (
    HasUsage,
    Kind,
    Tokens,
    anthropic_tokens,
    openai_tokens,
    token_events,
)

__all__ = [
    "AsyncRecordedStream",
    "HasUsage",
    "Kind",
    "RecordedStream",
    "Recorder",
    "Tokens",
    "anthropic_events",
    "anthropic_stream",
    "openai_events",
    "openai_stream",
]

logger = logging.getLogger("metergraph_client")

T = TypeVar("T")


def openai_events(response: HasUsage, template: Event) -> list[Event]:
    """Events of a chat completion, a response or embeddings of OpenAI's SDK.

    Args:
        response: what the SDK returned.
        template: the events' name, customer and further metadata. With an external id, each
            event's id is that, a colon and its kind.
    """
    if response.usage is None:
        return _none_known(response)
    return token_events(openai_tokens(response.model, response.usage), template)


def anthropic_events(message: HasUsage, template: Event) -> list[Event]:
    """Events of a message of Anthropic's SDK. The arguments are those of openai_events()."""
    if message.usage is None:
        return _none_known(message)
    return token_events(anthropic_tokens(message.model, message.usage), template)


@overload
def openai_stream(stream: Iterable[T], client: Recorder, template: Event) -> RecordedStream[T]: ...
@overload
def openai_stream(
    stream: AsyncIterable[T], client: Recorder, template: Event
) -> AsyncRecordedStream[T]: ...
def openai_stream(
    stream: Iterable[T] | AsyncIterable[T], client: Recorder, template: Event
) -> RecordedStream[T] | AsyncRecordedStream[T]:
    """Passes on a stream of OpenAI's SDK, and records its usage when it ends.

    A chat completion says its usage in its last chunk, and only with
    `stream_options={"include_usage": True}`. If the consumer stops before, a warning is logged.
    """
    return _recorded(stream, OpenAIStreamUsage(), client, template)


@overload
def anthropic_stream(
    stream: Iterable[T], client: Recorder, template: Event
) -> RecordedStream[T]: ...
@overload
def anthropic_stream(
    stream: AsyncIterable[T], client: Recorder, template: Event
) -> AsyncRecordedStream[T]: ...
def anthropic_stream(
    stream: Iterable[T] | AsyncIterable[T], client: Recorder, template: Event
) -> RecordedStream[T] | AsyncRecordedStream[T]:
    """Passes on a stream of Anthropic's SDK, and records its usage when it ends.

    If the consumer stops before, the events have the tokens so far, and `partial` in their
    metadata.
    """
    return _recorded(stream, AnthropicStreamUsage(), client, template)


def _recorded(
    stream: Iterable[T] | AsyncIterable[T], usage: StreamUsage, client: Recorder, template: Event
) -> RecordedStream[T] | AsyncRecordedStream[T]:
    recording = Recording(usage, client, template)
    if isinstance(stream, AsyncIterable):
        return AsyncRecordedStream(stream, recording)
    return RecordedStream(stream, recording)


def _none_known(response: HasUsage) -> list[Event]:
    logger.warning("A response of %s has no usage; no tokens are recorded", response.model)
    return []
