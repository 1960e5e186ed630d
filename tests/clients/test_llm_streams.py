"""Streams of OpenAI's and Anthropic's own SDKs are passed on, and recorded when they end."""

import gc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from metergraph_client import Event
from metergraph_client.llm import anthropic_stream, openai_stream
from tests.clients.llm_responses import (
    ACME,
    CHAT_TOKENS,
    MESSAGE_TOKENS,
    RESPONSE_TOKENS,
    chat_chunks,
    message_events,
    response_events,
    sent,
)


class Recorded:
    """Takes events as a client does."""

    def __init__(self) -> None:
        self.calls: list[list[Event]] = []

    def record(self, events: Iterable[Event]) -> None:
        self.calls.append(list(events))


STREAMS: list[tuple[Callable[..., Any], Callable[[], list[Any]], str, dict[str, int]]] = [
    (openai_stream, chat_chunks, "gpt-4.1", CHAT_TOKENS),
    (openai_stream, response_events, "gpt-5", RESPONSE_TOKENS),
    (anthropic_stream, message_events, "claude-sonnet-5-5", MESSAGE_TOKENS),
]


@pytest.mark.parametrize(("wrap", "chunks", "model", "tokens"), STREAMS)
async def test_a_stream_passes_its_chunks_on_and_is_recorded_once(
    wrap: Callable[..., Any], chunks: Callable[[], list[Any]], model: str, tokens: dict[str, int]
) -> None:
    client = Recorded()
    given = chunks()
    with wrap(iter(given), client, ACME) as stream:
        passed = list(stream)
        assert all(one is other for one, other in zip(passed, given, strict=True))
        [events] = client.calls
    assert sent(events, model) == tokens
    assert "partial" not in events[0].metadata

    async def later() -> AsyncIterator[Any]:
        for chunk in given:
            yield chunk

    async with wrap(later(), client, ACME) as stream:
        assert [chunk async for chunk in stream] == given
    [_, events] = client.calls
    assert sent(events, model) == tokens


def early(stop: str, stream: Any) -> None:
    """Reads the first chunk and leaves."""
    if stop == "break":
        for _ in stream:
            break
    elif stop == "close":
        next(stream)
        stream.close()
    else:
        with pytest.raises(RuntimeError, match="lost"):
            list(stream)


def breaking(chunks: list[Any], stop: str) -> Iterator[Any]:
    yield chunks[0]
    if stop == "fail":
        raise RuntimeError("The connection was lost")
    yield from chunks[1:]


@pytest.mark.parametrize("stop", ["break", "close", "fail"])
def test_a_consumer_that_stops_early_leaves_what_is_known(
    stop: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Recorded()
    early(stop, anthropic_stream(breaking(message_events(), stop), client, ACME))
    early(stop, openai_stream(breaking(list(chat_chunks()), stop), client, ACME))
    gc.collect()
    [events] = client.calls
    assert all(event.metadata["partial"] for event in events)
    known = {name: count for name, count in MESSAGE_TOKENS.items() if name != "reasoning"}
    assert sent(events, "claude-sonnet-5-5") == {**known, "output": 1}
    assert "no tokens are recorded for acme" in caplog.text


def test_the_streams_of_the_sdks_themselves() -> None:
    """Real clients, whose HTTP answers with recorded server-sent events."""
    client = Recorded()
    chunks = [chunk.model_dump_json() for chunk in chat_chunks()]
    body = "".join(f"data: {chunk}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    with openai.OpenAI(api_key="x", http_client=answering(body)) as sdk:
        stream = sdk.chat.completions.create(
            model="gpt-4.1",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        with openai_stream(stream, client, ACME) as recorded:
            text = "".join(one.choices[0].delta.content or "" for one in recorded if one.choices)
            assert recorded.response.status_code == 200
    assert text == "Hi there"
    events = [(event.type, event.model_dump_json()) for event in message_events()]
    body = "".join(f"event: {name}\ndata: {data}\n\n" for name, data in events)
    with (
        anthropic.Anthropic(api_key="x", http_client=answering(body)) as sdk_2,
        sdk_2.messages.create(
            model="claude-sonnet-5-5",
            max_tokens=9,
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
        ) as messages,
    ):
        assert len(list(anthropic_stream(messages, client, ACME))) == 4
    chat, message = client.calls
    assert sent(chat, "gpt-4.1") == CHAT_TOKENS
    assert sent(message, "claude-sonnet-5-5") == MESSAGE_TOKENS


def answering(body: str) -> httpx2.Client:
    """An HTTP client of an SDK that gets one answer from nowhere."""
    return httpx2.Client(
        transport=httpx2.MockTransport(
            lambda _request: httpx2.Response(
                200, content=body, headers={"content-type": "text/event-stream"}
            )
        )
    )
