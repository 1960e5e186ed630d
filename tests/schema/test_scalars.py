"""The scalars, as input and output, as values and as literals."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_value
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from schema import scalars
from schema.errors import Internal

BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+01:00", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert scalars.parse_datetime(text) == instant
    assert scalars.parse_datetime(text).utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=BERLIN), "2026-01-31T11:00:00Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC), "2026-01-31T12:00:00.000005Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 120_000, tzinfo=UTC), "2026-01-31T12:00:00.120000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_is_printed_in_utc(instant: datetime, text: str) -> None:
    assert scalars.print_datetime(instant) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.5", "12.5"),
        ("12.500", "12.5"),
        ("-0.0", "0"),
        ("0", "0"),
        (12, "12"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1000000000000000055511151231"), "0.1000000000000000055511151231"),
        ("1" * 38 + "." + "2" * 29 + "3", "1" * 38 + "." + "2" * 29 + "3"),
        ("100", "100"),
    ],
)
def test_decimals_keep_every_digit(value: Any, expected: str) -> None:
    assert scalars.print_decimal(scalars.parse_decimal(value)) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_comes_back_as_it_went(value: Decimal) -> None:
    text = scalars.print_decimal(value)
    assert "E" not in text
    assert Decimal(text) == value
    if len(text.partition(".")[2]) <= scalars.FRACTION_DIGITS:
        assert scalars.parse_decimal(text) == value


@pytest.mark.parametrize("value", [0, -(2**63), 2**63 - 1])
def test_big_integers_have_64_bits(value: int) -> None:
    assert scalars.parse_bigint(value) == value


@pytest.mark.parametrize(
    ("value", "shown"), [(Decimal("1.50"), "1.50"), (True, "true"), (None, "null"), ("1", "'1'")]
)
def test_a_refused_value_is_shown_as_the_client_wrote_it(value: object, shown: str) -> None:
    with pytest.raises(GraphQLError) as raised:
        scalars.parse_bigint(value)
    assert str(raised.value).endswith(f": {shown}")


@pytest.mark.parametrize("value", ["-1", Decimal("1.0")])
def test_a_big_integer_that_is_written_otherwise_is_not_called_no_integer(value: object) -> None:
    with pytest.raises(GraphQLError, match="without quotes, point or exponent, such as 12"):
        scalars.parse_bigint(value)


def test_no_integer_is_sent_that_javascript_would_misread() -> None:
    assert scalars.print_bigint(2**53 - 1) == 2**53 - 1
    assert scalars.print_bigint(1 - 2**53) == 1 - 2**53
    for value in (2**53, -(2**53)):
        with capture_logs() as logs, pytest.raises(Internal, match="misread"):
            scalars.print_bigint(value)
        assert [(log["log_level"], log["value"]) for log in logs] == [("error", value)]


def test_a_literal_keeps_its_digits() -> None:
    node = parse_value('{a: 1.10000000000000000001, b: [12345678901234567890, true, null, "x"]}')
    assert scalars.json_of_literal(node) == {
        "a": Decimal("1.10000000000000000001"),
        "b": [12345678901234567890, True, None, "x"],
    }


def test_an_enum_value_is_no_json() -> None:
    with pytest.raises(GraphQLError, match="quotes"):
        scalars.json_of_literal(parse_value("{a: B}"))


def test_a_literal_takes_variables() -> None:
    assert scalars.json_of_literal(parse_value("{a: $b}"), {"b": Decimal("1.5")}) == {
        "a": Decimal("1.5")
    }


@pytest.mark.parametrize("value", ["x", 1, Decimal("1.50"), True])
def test_clause_values_stay_as_they_are(value: Any) -> None:
    assert scalars.parse_clause_value(value) is value


REFUSED: dict[Callable[[Any], Any], list[Any]] = {
    scalars.parse_datetime: [
        *("2026-01-31T12:00:00", "2026-01-31", "noon", ""),
        *(1, True, None, {}),
    ],
    scalars.parse_decimal: [
        *("NaN", "Infinity", "1e5", "1_000", " 1", "1\n", "\N{ARABIC-INDIC DIGIT ONE}"),
        *("", ".5", "5.", "+5", "1" * 39, "0." + "1" * 31),
        *(Decimal("1e999999"), Decimal("1e-31"), Decimal("NaN"), 10**38),
        *(True, 1.5, None, []),
    ],
    scalars.parse_bigint: [2**63, -(2**63) - 1, "1", True, Decimal("1.5"), 1.0, None],
    scalars.parse_currency: ["usd", "US", "USDX", "USD\n", "ZZZ", "XTS", 1, [], None],
    scalars.parse_json_object: [[], "x", 1, None],
    scalars.parse_clause_value: [{}, [], None],
}


@pytest.mark.parametrize(
    ("parse", "value"), [(parse, value) for parse, values in REFUSED.items() for value in values]
)
def test_any_other_value_is_refused(parse: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(GraphQLError):
        parse(value)
