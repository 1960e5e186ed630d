"""Every rule of design section 4 that needs no database, with its path and its sentence."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.ingest.events import EventDraft, check_event
from metering.problems import Problem, ProblemCode
from models import exact_json

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUSTOMER_ID = UUID("01900000-0000-7000-8000-000000000001")
EVENT = {"name": "ai_usage", "externalCustomerId": "c1"}


def decode(public_id: str) -> UUID | None:
    return CUSTOMER_ID if public_id == "known" else None


def code_of(message: str) -> ProblemCode:
    """What is too long exceeds a limit; anything else is invalid."""
    return "LIMIT_EXCEEDED" if re.search(r" has [1-9][\d,]* characters", message) else "INVALID"


def check(**fields: Any) -> EventDraft | Problem:
    return check_event({**EVENT, **fields}, NOW, decode)


def accepted(**fields: Any) -> EventDraft:
    draft = check(**fields)
    assert isinstance(draft, EventDraft), draft
    return draft


def test_a_whole_event_is_read() -> None:
    assert check(
        externalId="e1",
        timestamp="2026-03-01T13:00:00.25+02:00",
        metadata={"model": "gpt-4o", "tokens": 12, "cost": Decimal("0.10"), "tags": [None, True]},
    ) == EventDraft(
        name="ai_usage",
        customer_id=None,
        external_customer_id="c1",
        external_id="e1",
        timestamp=datetime(2026, 3, 1, 11, 0, 0, 250_000, UTC),
        metadata='{"model":"gpt-4o","tokens":12,"cost":0.10,"tags":[null,true]}',
    )


def test_null_is_the_same_as_leaving_out() -> None:
    expected = EventDraft("ai_usage", None, "c1", None, None, "{}")
    assert check() == expected
    assert check(customerId=None, externalId=None, timestamp=None, metadata=None) == expected


def test_a_customer_can_be_named_by_its_id() -> None:
    draft = accepted(externalCustomerId=None, customerId="known")
    assert (draft.customer_id, draft.external_customer_id) == (CUSTOMER_ID, None)


def test_values_at_the_limits_are_accepted() -> None:
    accepted(name="n" * 128, externalId="e" * 256, externalCustomerId="c" * 256)
    accepted(name="😀" * 128)
    accepted(timestamp=NOW + timedelta(minutes=5))


NO_CUSTOMER = Problem("NOT_FOUND", "There is no customer with this id.", ("customerId",))


@pytest.mark.parametrize("customer_id", ["unknown", "", "\0", "\ud800", "x" * 10_000, 7])
def test_an_unknown_customer_id_is_not_found(customer_id: Any) -> None:
    assert check(externalCustomerId=None, customerId=customer_id) == NO_CUSTOMER


NOT_AN_INSTANT = "is not an ISO 8601 instant with an offset, such as 2026-03-01T12:00:00Z."
NO_OFFSET = "has no offset: add Z or an offset such as +02:00."
OUTSIDE = "lies outside the years 1 to 9999 in UTC."
AHEAD = "is more than 5 minutes in the future."


@pytest.mark.parametrize(
    ("timestamp", "problem"),
    [
        ("2026-03-01T12:05:00.000001Z", AHEAD),
        ("2026-03-01T14:05:01+02:00", AHEAD),
        ("9999-12-31T23:59:59Z", AHEAD),
        ("2026-03-01T11:00:00", NO_OFFSET),
        ("2026-03-01", NO_OFFSET),
        ("2026-03-01t11:00:00", NO_OFFSET),
        (datetime(2026, 3, 1, 11), NO_OFFSET),  # noqa: DTZ001  # that is the point
        ("0001-01-01T00:00:00+00:01", OUTSIDE),
        ("9999-12-31T23:59:59-00:01", OUTSIDE),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), OUTSIDE),
        ("", NOT_AN_INSTANT),
        ("yesterday", NOT_AN_INSTANT),
        ("z", NOT_AN_INSTANT),
        ("2026-02-29T00:00:00Z", NOT_AN_INSTANT),
        ("2026-03-01T24:30:00Z", NOT_AN_INSTANT),
        ("2026-03-01T11:00:00+25:00", NOT_AN_INSTANT),
        ("-0044-03-15T00:00:00Z", NOT_AN_INSTANT),
        ("10000-01-01T00:00:00Z", NOT_AN_INSTANT),
        ("2026-03-01T11:00:00Z" + "0" * 64, NOT_AN_INSTANT),
        ("٢٠٢٦-03-01T11:00:00Z", NOT_AN_INSTANT),
        (1_772_366_400, NOT_AN_INSTANT),
        (True, NOT_AN_INSTANT),
    ],
)
def test_invalid_timestamps_are_refused(timestamp: Any, problem: str) -> None:
    assert check(timestamp=timestamp) == Problem("INVALID", f"timestamp {problem}", ("timestamp",))


@pytest.mark.parametrize(
    ("timestamp", "instant"),
    [
        ("2026-03-01T12:05:00Z", NOW + timedelta(minutes=5)),
        ("2026-03-01T17:30:00+05:30", NOW),
        ("2026-03-01t12:00:00z", NOW),  # as RFC 3339 allows
        ("2026-03-01t12:00:00.000001z", NOW + timedelta(microseconds=1)),
        ("2026-03-01 12:00:00.1234567Z", NOW.replace(microsecond=123_456)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00-14:00", datetime(1, 1, 1, 14, tzinfo=UTC)),
        (datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))), NOW),
    ],
)
def test_timestamps_are_read_to_the_microsecond(timestamp: Any, instant: datetime) -> None:
    assert accepted(timestamp=timestamp).timestamp == instant


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(st.characters(), max_size=1_100),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=100,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["name", "customerId", "externalCustomerId", "externalId", "timestamp", "metadata"]
        ),
        json_values,
    )
)
def test_any_json_is_accepted_or_refused(event: dict[str, Any]) -> None:
    answer = check_event(event, NOW, decode)
    if isinstance(answer, EventDraft):
        assert exact_json.loads(answer.metadata) == (event.get("metadata") or {})
    else:
        assert answer.code in {"INVALID", "NOT_FOUND"}
        assert answer.message.endswith(".")
        "".join((answer.message, *answer.path)).encode()  # it can be sent back
