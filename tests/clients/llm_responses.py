"""Responses and streams as OpenAI's and Anthropic's own SDKs give them, and the tokens in them."""

from collections.abc import Iterable
from typing import Any

from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from metergraph_client import Event

ACME = Event("llm_tokens", external_customer_id="acme", metadata={"feature": "chat"})
CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
        }
    ],
    "usage": CHAT_USAGE,
}
CHAT_TOKENS = {"input": 40, "cached_input": 60, "output": 30, "reasoning": 20}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5",
    "output": [],
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 99,
    },
}
RESPONSE_TOKENS = {"input": 50, "cached_input": 30, "cache_write": 10, "output": 5, "reasoning": 4}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 11,
        "output_tokens": 22,
        "output_tokens_details": {"thinking_tokens": 2},
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "cache_read_input_tokens": 44,
    },
}
MESSAGE_TOKENS = {
    "input": 11,
    "cached_input": 44,
    "cache_write": 10,
    "cache_write_1h": 20,
    "output": 20,
    "reasoning": 2,
}


def sent(events: Iterable[Event], model: str) -> dict[str, int]:
    """The tokens of events by kind. All are of one model, and have what the template has."""
    found = {}
    for event in events:
        assert (event.name, event.external_customer_id) == ("llm_tokens", "acme")
        assert (event.metadata["feature"], event.metadata["model"]) == ("chat", model)
        found[event.metadata["kind"]] = event.metadata["tokens"]
    return found


def chat_chunks() -> list[ChatCompletionChunk]:
    def chunk(**more: Any) -> ChatCompletionChunk:
        shape = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        return ChatCompletionChunk.model_validate({**shape, "model": "gpt-4.1", **more})

    def delta(text: str) -> dict[str, Any]:
        return {"index": 0, "delta": {"content": text}, "finish_reason": None}

    words = [chunk(choices=[delta(text)], usage=None) for text in ("Hi", " there")]
    return [*words, chunk(choices=[], usage=CHAT_USAGE)]


def response_events() -> list[ResponseStreamEvent]:
    adapter: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
    begun = {**RESPONSE, "usage": None}
    delta = {"item_id": "1", "output_index": 0, "content_index": 0, "delta": "Hi", "logprobs": []}
    return [
        adapter.validate_python(event)
        for event in (
            {"type": "response.created", "sequence_number": 0, "response": begun},
            {"type": "response.output_text.delta", "sequence_number": 1, **delta},
            {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
        )
    ]


def message_events() -> list[RawMessageStreamEvent]:
    adapter: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
    usage = {**MESSAGE["usage"], "output_tokens": 1, "output_tokens_details": None}  # type: ignore[dict-item]
    begun = {**MESSAGE, "content": [], "stop_reason": None, "usage": usage}
    text = {"type": "text_delta", "text": "Hi"}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    final = {"output_tokens": 22, "output_tokens_details": {"thinking_tokens": 2}}
    return [
        adapter.validate_python(event)
        for event in (
            {"type": "message_start", "message": begun},
            {"type": "content_block_delta", "index": 0, "delta": text},
            {"type": "message_delta", "delta": ended, "usage": final},
            {"type": "message_stop"},
        )
    ]
