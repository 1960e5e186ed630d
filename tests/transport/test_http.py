"""GraphQL over HTTP, beyond what its audits ask."""

import gzip
from typing import Any

import pytest

from models import exact_json
from tests.graphql_client import Api
from transport.http_request import accepted

GRAPHQL_JSON = "application/graphql-response+json"


async def error(api: Api, body: Any, **headers: str) -> tuple[int, str]:
    response = await api.post(body, **headers)
    answer = exact_json.loads(response.content)
    assert "data" not in answer
    return response.status_code, answer["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "variables": {"a": Infinity}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'"text"',
        b"1",
        b"null",
        b"[1]",
        b'{"query": ""}',
        b'{"query": null}',
        b'{"query": "{ __typename }", "operationName": "Nobody"}',
        b'{"query": "query A { __typename } query B { __typename }"}',
        b'{"query": "{ \\u0000 }"}',
    ],
)
async def test_an_invalid_request_is_refused(api: Api, body: bytes) -> None:
    status, code = await error(api, body, accept=GRAPHQL_JSON)
    assert (status, code) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ node(id: \\"\\ud800\\") { id } \\ud800 }"}',
        b'{"query": "{ __typename }", "operationName": "\\ud800"}',
    ],
)
async def test_a_lone_surrogate_is_answered_in_utf_8(api: Api, body: bytes) -> None:
    response = await api.post(body)
    assert response.status_code in {200, 400}
    (error, *_) = exact_json.loads(response.content.decode())["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(api: Api) -> None:
    body = b'{"query": "' + b" " * (10 * 1024 * 1024) + b'{ __typename }"}'
    assert await error(api, body) == (413, "TOO_COMPLEX")


async def test_a_body_that_does_not_say_its_length_is_refused_too(api: Api) -> None:
    async def chunks() -> Any:
        for _ in range(11):
            yield b" " * 1024 * 1024

    response = await api.http.post(
        "/graphql", content=chunks(), headers={"content-type": "application/json", **api.headers}
    )
    assert response.status_code == 413


async def test_a_stranger_may_send_less(api: Api) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": "' + b" " * 70_000 + b'"}}'
    assert await error(api.anonymous, body) == (401, "UNAUTHENTICATED")
    assert (await api.post(body)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",  # as a form of another site may send
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "application/json; charset=latin-1",
    ],
)
async def test_only_json_in_utf_8_is_read(api: Api, content_type: str) -> None:
    body = '{"query": "{ __typename }"}'
    assert await error(api, body, **{"content-type": content_type}) == (415, "BAD_USER_INPUT")


async def test_long_or_unknown_media_types_are_refused(api: Api) -> None:
    body = {"query": "{ __typename }"}
    content_type = 'application/json; a="' + ";" * 30_000
    assert await error(api, body, **{"content-type": content_type}) == (415, "BAD_USER_INPUT")
    for accept in ("application/json" + "," * 30_000, "image/png"):
        assert await error(api, body, accept=accept) == (406, "BAD_USER_INPUT")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_a_compressed_body_is_refused_by_its_name(api: Api, encoding: str) -> None:
    body = gzip.compress(b'{"query": "{ __typename }"}')
    response = await api.post(body, **{"content-encoding": encoding})
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"
    plain = await api.post({"query": "{ __typename }"}, **{"content-encoding": "identity"})
    assert plain.status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(api: Api, method: str) -> None:
    response = await api.http.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_mutation_by_get_is_refused(api: Api) -> None:
    response = await api.http.get(
        "/graphql", params={"query": "mutation { __typename }"}, headers=api.headers
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def test_a_query_by_get_takes_variables(api: Api) -> None:
    response = await api.http.get(
        "/graphql",
        params={
            "query": "query A($id: ID!) { node(id: $id) { id } } query B { __typename }",
            "variables": '{"id": "x"}',
            "operationName": "A",
        },
        headers=api.headers,
    )
    assert exact_json.loads(response.content)["data"] == {"node": None}


async def test_a_subscription_needs_a_stream(api: Api) -> None:
    query = "subscription { usageUpdated { cursor } }"
    assert await error(api, {"query": query}) == (400, "BAD_USER_INPUT")


async def test_a_batch_is_answered_in_its_order(api: Api) -> None:
    batch = [{"query": "{ __typename }"}, {"query": "{ nope }"}]
    answers = exact_json.loads((await api.post(batch)).content)
    assert answers[0]["data"] == {"__typename": "Query"}
    assert answers[1]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("text", ["1e99999999999999999999", "9" * 5_000, "-1e400"])
async def test_a_number_beyond_all_bounds_is_refused_where_it_stands(api: Api, text: str) -> None:
    body = '{"query": "query ($a: Int) { __typename }", "variables": {"a": %s}}'
    assert await error(api, body % text, accept=GRAPHQL_JSON) == (400, "BAD_USER_INPUT")


async def test_a_batch_needs_a_token(api: Api) -> None:
    query = {"query": "{ __typename }"}
    assert (await api.anonymous.post([query])).status_code == 200
    refused = await api.anonymous.post([query, query])
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("size", [0, 11])
async def test_a_batch_has_one_to_ten_operations(api: Api, size: int) -> None:
    assert await error(api, [{"query": "{ __typename }"}] * size) == (400, "TOO_COMPLEX")


async def test_a_program_that_takes_anything_gets_json(api: Api) -> None:
    response = await api.http.get("/graphql", params={"query": "{ __typename }"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "a/json"),
        ("*/*", "a/json"),
        ("a/*", "a/json"),
        ("b/xml", "b/xml"),
        ("a/json;q=0.5, b/xml", "b/xml"),
        ("b/xml;q=0, a/json", "a/json"),
        ("c/none, b/xml;q=0.1", "b/xml"),
        ("c/none", None),
        ("a/json;q=nonsense", None),
        ("B/XML ; charset=utf-8", "b/xml"),
    ],
)
def test_the_preferred_media_type_is_taken(accept: str | None, media: str | None) -> None:
    assert accepted(accept, ("a/json", "b/xml")) == media


STREAMED = {"accept": "text/event-stream"}


async def test_a_mutation_by_get_is_refused_as_a_stream_too(api: Api) -> None:
    query = "mutation { meterArchive(input: {id: 1}) { userErrors { code } } }"
    headers = {**api.headers, **STREAMED}
    response = await api.http.get("/graphql", params={"query": query}, headers=headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("query", "has_data"),
    [
        ("{ __typename }", True),
        ("{ nothing }", False),
        ("}{", False),
        ('subscription { usageUpdated(after: "x") { cursor } }', False),
    ],
)
async def test_a_stream_has_the_same_answers(api: Api, query: str, *, has_data: bool) -> None:
    response = await api.post({"query": query}, **STREAMED)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [event for event in response.text.split("\r\n\r\n") if not event.startswith(":")]
    assert len(events) == 3
    event, complete, _end = events
    name, data = event.split("\r\n")
    assert (name, complete) == ("event: next", "event: complete\r\ndata: ")
    answer = exact_json.loads(data.removeprefix("data: "))
    assert ("data" in answer, "errors" in answer) == (has_data, not has_data)


async def test_a_long_operation_name_is_quoted_briefly(api: Api) -> None:
    response = await api.post({"query": "{ __typename }", "operationName": "x" * 100_000})
    assert response.status_code == 400
    assert len(response.content) < 2_000
