"""Events of language models' responses, as OpenAI's and Anthropic's own SDKs give them."""

import json

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CompletionUsage, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from openai.types.responses import Response

from metergraph_client import Event
from metergraph_client.llm import anthropic_events, openai_events
from metergraph_client.llm.usage import openai_tokens
from tests.clients.llm_responses import (
    ACME,
    CHAT,
    CHAT_TOKENS,
    MESSAGE,
    MESSAGE_TOKENS,
    RESPONSE,
    RESPONSE_TOKENS,
    sent,
)


def test_a_chat_completion() -> None:
    completion = ChatCompletion.model_validate(CHAT)
    assert sent(openai_events(completion, ACME), "gpt-4.1") == CHAT_TOKENS


def test_a_response_of_the_responses_api() -> None:
    response = Response.model_validate(RESPONSE)
    assert sent(openai_events(response, ACME), "gpt-5") == RESPONSE_TOKENS


def test_embeddings() -> None:
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    embeddings = CreateEmbeddingResponse.model_validate(
        {"data": [], "model": "text-embedding-3-small", "object": "list", "usage": usage}
    )
    assert sent(openai_events(embeddings, ACME), "text-embedding-3-small") == {"input": 8}


def test_a_message() -> None:
    message = Message.model_validate(MESSAGE)
    assert sent(anthropic_events(message, ACME), "claude-sonnet-5-5") == MESSAGE_TOKENS


def test_an_id_of_ones_own_is_the_id_of_each_kind() -> None:
    template = Event("llm_tokens", external_customer_id="acme", external_id="chatcmpl-1")
    events = openai_events(ChatCompletion.model_validate(CHAT), template)
    assert [event.external_id for event in events] == [f"chatcmpl-1:{kind}" for kind in CHAT_TOKENS]


def test_a_response_without_usage_makes_no_event_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    completion = ChatCompletion.model_validate({**CHAT, "usage": None})
    assert openai_events(completion, ACME) == []
    assert "A response of gpt-4.1 has no usage" in caplog.text


COUNT = st.integers(0, 10**9)


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_the_kinds_add_up_to_the_total(
    prompt: int, completion: int, cached: int, written: int, reasoning: int
) -> None:
    usage = CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=cached, cache_write_tokens=written),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=reasoning),
    )
    tokens = openai_tokens("gpt-4.1", usage)
    assert sum(tokens.by_kind.values()) == usage.total_tokens
    assert all(count > 0 for count in tokens.by_kind.values())


def test_events_are_small_json() -> None:
    [first, *_] = openai_events(ChatCompletion.model_validate(CHAT), ACME)
    assert json.loads(first.to_json())["metadata"] == {
        "feature": "chat",
        "model": "gpt-4.1",
        "kind": "input",
        "tokens": 40,
    }
