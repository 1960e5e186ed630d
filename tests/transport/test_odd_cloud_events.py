"""What POST /events answers to requests that are malformed, hostile or not CloudEvents."""

import asyncio
import json
from typing import Any

import pytest

from config.settings import Settings
from models import Organization
from tests.graphql_client import Api
from tests.raw_http import exchange
from tests.serving import new_token, served
from tests.transport.cloud_events import (
    BATCH,
    STRUCTURED,
    cloud_event,
    errors,
    post,
    post_binary,
    sent_batch,
    stored,
)

LONG = "x" * 200


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"specversion": None}, ["specversion"], "INVALID"),
        ({"specversion": "0.3"}, ["specversion"], "INVALID"),
        ({"specversion": 1.0}, ["specversion"], "INVALID"),
        ({"id": None}, ["id"], "INVALID"),
        ({"id": ""}, ["id"], "INVALID"),
        ({"id": 5}, ["id"], "INVALID"),
        ({"id": "\0"}, ["id"], "INVALID"),
        ({"id": LONG, "source": LONG}, ["id"], "LIMIT_EXCEEDED"),
        ({"source": None}, ["source"], "INVALID"),
        ({"source": " "}, ["source"], "INVALID"),
        ({"source": {"a": 1}}, ["source"], "INVALID"),
        ({"type": None}, ["type"], "INVALID"),
        ({"type": LONG}, ["type"], "LIMIT_EXCEEDED"),
        ({"subject": None}, ["subject"], "INVALID"),
        ({"subject": "\ud800"}, ["subject"], "INVALID"),
        ({"time": "2026-01-01"}, ["time"], "INVALID"),
        ({"time": "2026-01-01T00:00:00"}, ["time"], "INVALID"),
        ({"time": "9999-01-01T00:00:00Z"}, ["time"], "INVALID"),
        ({"time": 5}, ["time"], "INVALID"),
        ({"data": 1.5}, ["data"], "INVALID"),
        ({"data": [{"tokens": 1}]}, ["data"], "INVALID"),
        ({"data": '{"tokens": 1}'}, ["data"], "INVALID"),
        ({"data": {"a": {"": 1}}}, ["data", "a"], "INVALID"),
        ({"data": {"n": 10**40}}, ["data", "n"], "INVALID"),
        ({"data": "<x/>", "datacontenttype": "application/xml"}, ["datacontenttype"], "INVALID"),
        ({"datacontenttype": 5}, ["datacontenttype"], "INVALID"),
        ({"data_base64": "e30="}, ["data_base64"], "INVALID"),
    ],
)
async def test_a_bad_attribute_is_named(
    api: Api, changes: dict[str, Any], path: list[str], code: str
) -> None:
    for response, index in (
        (await post(api, cloud_event(**changes)), "0"),
        (await sent_batch(api, cloud_event(id="good"), cloud_event(**changes)), "1"),
    ):
        assert (response.status_code, errors(response)) == (400, [(code, [index, *path])])
        message = response.json()["errors"][0]["message"]
        assert not {"externalId", "metadata", "timestamp", "externalCustomerId"} & {
            *message.split()
        }
    assert await stored(api) == []


@pytest.mark.parametrize(
    "encoded", ["not base64", "e30", "é", 5, "AAAA", "WzFd", "eyJhIjoxLCJhIjoyfQ=="]
)
async def test_bad_base64_is_refused(api: Api, encoded: Any) -> None:
    sent = cloud_event(data=None, data_base64=encoded, datacontenttype="application/json")
    response = await post(api, sent)
    assert response.status_code == 400
    ((code, path),) = errors(response)
    assert code == "INVALID"
    assert path in (["0", "data_base64"], ["0", "data"])  # the latter is JSON, but not an object


@pytest.mark.parametrize("odd", [None, 5, '"text"', [], [[]], True])
async def test_what_is_no_object_is_no_event(api: Api, odd: Any) -> None:
    response = await post(api, odd)
    assert (response.status_code, errors(response)) == (400, [("INVALID", ["0"])])


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ("{", STRUCTURED),
        ("", STRUCTURED),
        (b"\xff", STRUCTURED),
        ("[" * 100_000, BATCH),
        ("{}", BATCH),
        ("NaN", STRUCTURED),
        ('{"id": "1", "id": "2"}', STRUCTURED),
        ('[{"id": "1", "id": "2"}]', BATCH),
    ],
)
async def test_what_is_not_json_is_a_bad_request(api: Api, body: Any, media: str) -> None:
    response = await post(api, body, media)
    assert (response.status_code, errors(response)) == (400, [("BAD_USER_INPUT", [])])


async def test_a_byte_order_mark_is_named(api: Api) -> None:
    response = await post(api, b"\xef\xbb\xbf" + json.dumps(cloud_event()).encode(), STRUCTURED)
    assert (response.status_code, errors(response)) == (400, [("BAD_USER_INPUT", [])])
    assert "byte order mark" in response.json()["errors"][0]["message"]


async def test_a_key_twice_in_data_refuses_only_its_event(api: Api) -> None:
    good, bad = json.dumps(cloud_event(id="2")), json.dumps(cloud_event())
    bad = bad.replace('"tokens": 12', '"tokens": 12, "tokens": 13')
    response = await post(api, f"[{good}, {bad}]", BATCH)
    assert (response.status_code, errors(response)) == (400, [("INVALID", ["1", "data"])])
    assert response.json()["errors"][0]["message"] == "data has the key 'tokens' twice."


@pytest.mark.parametrize(
    ("media", "headers"),
    [
        ("application/json", {}),
        (None, {}),
        ("text/plain", {}),
        ("application/cloudevents", {}),
        ("application/cloudevents+avro", {"ce-specversion": "1.0"}),
        ("application/cloudevents-batch+avro", {"ce-specversion": "1.0"}),
        ("text/plain", {"ce-specversion": "1.0"}),
        ("application/x-www-form-urlencoded", {"ce-specversion": "1.0"}),
        ("application/json; charset=latin-1", {"ce-specversion": "1.0"}),
        (f"{STRUCTURED}; charset=utf-16", {}),
        (f"{STRUCTURED}; x={'x' * 2_000}", {}),
        (STRUCTURED, {"content-encoding": "gzip"}),
    ],
)
async def test_other_formats_are_not_supported(
    api: Api, media: str | None, headers: dict[str, str]
) -> None:
    response = await post(api, cloud_event(), media, **headers)
    assert (response.status_code, errors(response)) == (415, [("BAD_USER_INPUT", [])])


async def test_headers_are_decoded_once(api: Api) -> None:
    response = await post_binary(
        api,
        id="%e2%82%ac%20%F0%9F%98%80",
        source='"/a \\"b\\" %25"',
        type="100%",
        subject="50%2525",
        time="2026-01-01T00%3A00%3A00Z",
    )
    assert response.status_code == 200
    (node,) = await stored(api)
    assert node["externalId"] == '/a%20"b"%20% € 😀'
    assert node["name"] == "100%"
    assert node["customer"] == {"externalId": "50%25"}
    assert node["timestamp"] == "2026-01-01T00:00:00Z"


async def test_headers_that_are_no_utf8_are_refused(api: Api) -> None:
    for value in ("%C0%A0", "%ff", "%ed%a0%80"):
        response = await post_binary(api, subject=value)
        assert (response.status_code, errors(response)) == (400, [("BAD_USER_INPUT", [])])
    raw = await api.http.post(
        "/events",
        headers=[
            *(
                (f"ce-{name}".encode(), value.encode())
                for name, value in cloud_event(data=None, subject="café").items()
            ),
            (b"authorization", api.headers["authorization"].encode()),
        ],
    )
    assert raw.status_code == 200
    assert (await stored(api))[0]["customer"] == {"externalId": "café"}


@pytest.mark.parametrize("missing", ["id", "source", "type", "subject"])
async def test_a_missing_header_is_named(api: Api, missing: str) -> None:
    attributes = cloud_event(data=None)
    del attributes[missing]
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    response = await post(api, "", None, **headers)
    assert response.status_code == 400
    assert errors(response) == [("INVALID", ["0", missing])]
    assert response.json()["errors"][0]["message"].startswith(f"{missing} is missing")


async def test_a_header_given_twice_is_refused(api: Api) -> None:
    attributes = cloud_event(data=None)
    headers = [(f"ce-{name}", value) for name, value in attributes.items()]
    headers += [("ce-subject", "other"), *api.headers.items()]
    response = await api.http.post("/events", headers=headers)
    assert (response.status_code, errors(response)) == (400, [("BAD_USER_INPUT", [])])
    assert "ce-subject" in response.json()["errors"][0]["message"]
    assert await stored(api) == []


async def test_only_post_is_allowed(api: Api) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        response = await api.http.request(method, "/events", headers=api.headers)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.fixture
async def small(settings: Settings, organization: Organization) -> Any:
    """The URL of an API that takes bodies of a thousand bytes, and a token."""
    changed = settings.model_copy(update={"max_body_bytes": 1_000})
    async with served(changed) as url:
        yield url, await new_token(organization)


async def test_a_large_body_is_refused_before_it_is_read(small: tuple[str, str]) -> None:
    url, token = small
    head = f"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n".encode()
    declared = b"content-type: application/cloudevents+json\r\ncontent-length: 9999999999\r\n\r\n"
    chunked = (
        b"content-type: application/cloudevents+json\r\ntransfer-encoding: chunked\r\n\r\n"
        b"7d1\r\n" + b" " * 2_001
    )
    for rest in (declared, chunked):
        answer = await exchange(url, head + rest)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"TOO_COMPLEX"' in answer


async def test_a_body_that_never_comes_is_given_up(
    settings: Settings, organization: Organization
) -> None:
    hasty = settings.model_copy(update={"request_timeout_seconds": 0.2})
    head = (
        f"POST /events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {await new_token(organization)}"
        "\r\ncontent-type: application/cloudevents+json\r\ncontent-length: 10\r\n"
        "connection: close\r\n\r\n"
    )
    async with served(hasty) as url, asyncio.timeout(60):
        answer = await exchange(url, head.encode(), b"{")
    assert answer.startswith(b"HTTP/1.1 503 ")
