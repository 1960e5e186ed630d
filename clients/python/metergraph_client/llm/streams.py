"""Streams that pass every chunk on as it is, and record their usage once, when they end.

A stream ends when its last chunk was read, when it is closed, when it fails, or when the consumer
drops it. What is known by then is recorded.
"""

import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from metergraph_client.events import Event
from metergraph_client.llm.stream_usage import StreamUsage
from metergraph_client.llm.usage import token_events

logger = logging.getLogger("metergraph_client")

T = TypeVar("T")


class Recorder(Protocol):
    """What takes the events: a client."""

    def record(self, events: Iterable[Event]) -> None:
        """Takes events without waiting or raising."""


class Recording:
    """Records the usage of one stream, once."""

    def __init__(self, usage: StreamUsage, client: Recorder, template: Event) -> None:
        self.usage = usage
        self._client = client
        self._template = template
        self._is_recorded = False

    def end(self) -> None:
        """Records what is known, unless that is done."""
        if self._is_recorded:
            return
        self._is_recorded = True
        tokens = self.usage.tokens()
        if tokens is None:
            logger.warning(
                "A stream ended before it said its usage; no tokens are recorded for %s",
                self._template.external_customer_id or self._template.customer_id,
            )
            return
        template = self._template
        if not self.usage.is_complete:
            template = replace(template, metadata={**template.metadata, "partial": True})
        self._client.record(token_events(tokens, template))


class RecordedStream(Generic[T]):
    """A stream of an SDK, with its attributes and methods."""

    def __init__(self, stream: Iterable[T], recording: Recording) -> None:
        self._recording = recording
        self._stream = stream
        self._iterator: Iterator[T] = iter(stream)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            chunk = next(self._iterator)
        except BaseException:
            self._recording.end()
            raise
        self._recording.usage.see(chunk)
        return chunk

    def close(self) -> None:
        """Closes the stream, and records what is known."""
        try:
            if (close := getattr(self._stream, "close", None)) is not None:
                close()
        finally:
            self._recording.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        self._recording.end()


class AsyncRecordedStream(Generic[T]):
    """An asynchronous stream of an SDK, with its attributes and methods."""

    def __init__(self, stream: AsyncIterable[T], recording: Recording) -> None:
        self._recording = recording
        self._stream = stream
        self._iterator: AsyncIterator[T] = aiter(stream)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            chunk = await anext(self._iterator)
        except BaseException:
            self._recording.end()
            raise
        self._recording.usage.see(chunk)
        return chunk

    async def close(self) -> None:
        """Closes the stream, and records what is known."""
        try:
            if (close := getattr(self._stream, "close", None)) is not None:
                await close()
        finally:
            self._recording.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        self._recording.end()
