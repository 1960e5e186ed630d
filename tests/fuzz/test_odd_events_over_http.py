"""Whatever is sent to the endpoints for events is answered, and never with an internal error."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.effort import examples
from tests.graphql_client import Api

SETTINGS = examples(100)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1.0", "application/json", "e30=", "2026-01-01T00:00:00Z", "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def some_of(keys: str, **usual: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the usual fields, some of which have odd values or are missing."""
    names = keys.split()
    odd = st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON_VALUES))
    left_out = st.sets(st.sampled_from(names), max_size=2)
    return st.builds(
        lambda changes, missing: {
            key: value for key, value in {**usual, **changes}.items() if key not in missing
        },
        odd,
        left_out,
    )


CLOUD_EVENTS = some_of(
    "specversion id source type subject time data data_base64 datacontenttype other",
    specversion="1.0",
    id="1",
    source="s",
    type="t",
    subject="c",
)
POLAR_EVENTS = some_of(
    "name customer_id external_customer_id external_id timestamp metadata"
    " organization_id parent_id member_id",
    name="n",
    external_customer_id="c",
)


async def answer(api: Api, path: str, media: str, body: Any) -> int:
    """The status of an answer, which is JSON."""
    response = await api.http.post(
        path, content=json.dumps(body), headers={**api.headers, "content-type": media}
    )
    response.json()
    return response.status_code


@SETTINGS
@given(st.lists(CLOUD_EVENTS | JSON_VALUES, max_size=3), st.sampled_from(["", "SKIP_INVALID"]))
async def test_odd_cloud_events_are_answered(api: Api, events: list[Any], policy: str) -> None:
    path = f"/events?onInvalid={policy}" if policy else "/events"
    assert await answer(api, path, "application/cloudevents-batch+json", events) in {200, 400}


@SETTINGS
@given(st.dictionaries(st.sampled_from(["id", "source", "type", "subject", "time"]), st.binary()))
async def test_odd_headers_are_answered(api: Api, values: dict[str, bytes]) -> None:
    usual = {"specversion": b"1.0", "id": b"1", "source": b"s", "type": b"t", "subject": b"c"}
    headers = {f"ce-{name}".encode(): value for name, value in {**usual, **values}.items()}
    headers[b"authorization"] = api.headers["authorization"].encode()
    response = await api.http.post("/events", headers=headers)
    response.json()
    assert response.status_code in {200, 400}


@SETTINGS
@given(st.lists(POLAR_EVENTS | JSON_VALUES, max_size=3))
async def test_odd_events_of_polars_are_answered(api: Api, events: list[Any]) -> None:
    body = {"events": events}
    assert await answer(api, "/v1/events/ingest", "application/json", body) in {200, 422}
