"""The limits of metadata, on both sides, and the path of each refusal."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.language.metadata import MetadataError, metadata_text
from models import exact_json

NUMBER = (
    "is a number outside the limits: at most 38 significant digits, a decimal exponent within ±30."
)


def nested(levels: int, innermost: Any) -> Any:
    for _ in range(levels - 1):
        innermost = {"a": innermost}
    return innermost


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-0",
        "0.0",
        "0E-10",
        "12345678901234567890123456789.012345678",  # 38 digits
        "1E+30",
        "9." + "9" * 37 + "E+30",
        "1E-30",
        "1" + "0" * 30,
        "-9" + "9" * 30,
        "9223372036854775808",  # past 64 bits
        "0.30000000000000004",
    ],
)
def test_numbers_within_the_limits_keep_every_digit(number: str) -> None:
    text = metadata_text({"n": exact_json.loads(number)})
    assert exact_json.loads(text)["n"] == Decimal(number)
    assert "E" not in text


@pytest.mark.parametrize(
    "number",
    [
        "123456789012345678901234567890.123456789",  # 39 digits
        "0.1234567890123456789012345678901234567891",
        "1E+31",
        "1" + "0" * 31,
        "-1" + "0" * 31,
        "1E-31",
        "0E+100",
        "1E+400",
        "1E-400",
        "1E+999999999",
        "1E+99999999999999999999",  # past what Decimal holds
        "1E-99999999999999999999",
        "9" * 5_000,  # past what int() reads
    ],
)
def test_numbers_outside_the_limits_are_refused(number: str) -> None:
    with pytest.raises(MetadataError) as refused:
        metadata_text({"a": [exact_json.loads(number)]})
    assert (refused.value.problem, refused.value.path) == (NUMBER, ("a", "0"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused_by_the_parser_and_by_the_limits(number: str) -> None:
    with pytest.raises(ValueError, match="is not a JSON number"):
        exact_json.loads(f'{{"n": {number}}}')
    with pytest.raises(MetadataError, match="outside the limits"):
        metadata_text({"n": Decimal(number)})


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {f"k{number}": number for number in range(64)},
        {"a": {f"k{number}": number for number in range(64)}},
        nested(4, {"a": 1}),
        nested(4, ["a"]),
        {"k" * 64: "x" * 1_000},
        {"😀" * 64: "😀" * 1_000},
        {" ": ""},
        {"list": list(range(1_000))},
    ],
)
def test_metadata_at_the_limits_is_accepted(metadata: Any) -> None:
    assert exact_json.loads(metadata_text(metadata)) == metadata


@pytest.mark.parametrize(
    ("metadata", "path", "problem"),
    [
        ({f"k{number}": 0 for number in range(65)}, (), "has 65 keys; at most 64 are allowed."),
        (
            {"a": {f"k{number}": 0 for number in range(65)}},
            ("a",),
            "has 65 keys; at most 64 are allowed.",
        ),
        (nested(5, {}), ("a",) * 4, "is nested deeper than 4 levels."),
        (nested(5, []), ("a",) * 4, "is nested deeper than 4 levels."),
        ({"a": [[[[]]]]}, ("a", "0", "0", "0"), "is nested deeper than 4 levels."),
        ({"": 1}, (), "has a key that is empty."),
        ({"k" * 65: 1}, (), "has a key that has 65 characters; 1 to 64 are allowed."),
        ({"a": {"k\0": 1}}, ("a",), "has a key that contains a NUL character."),
        ({"\ud800": 1}, (), "has a key that contains a lone surrogate."),
        ({"a": "x" * 1_001}, ("a",), "has 1,001 characters; 0 to 1,000 are allowed."),
        ({"a": "\0"}, ("a",), "contains a NUL character."),
        ({"a": ["ok", "\udc00"]}, ("a", "1"), "contains a lone surrogate."),
        ({"a": 0.5}, ("a",), "is a float, which JSON does not have."),
    ],
)
def test_metadata_past_a_limit_is_refused_with_its_path(
    metadata: Any, path: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(MetadataError) as refused:
        metadata_text(metadata)
    assert (refused.value.path, refused.value.problem) == (path, problem)


@pytest.mark.parametrize("character", ["x", "ä", "😀"])
def test_metadata_may_have_16_kib_as_json(character: str) -> None:
    # 16 strings of 1,000 bytes, and a last one that fills what is left.
    size = len(character.encode())
    strings = {f"{number:02}": character * (1_000 // size) for number in range(16)}
    room = 16_384 - len(metadata_text(strings).encode())
    fitting = {**strings, "99": "x" * (room - len(',"99":""'))}
    assert len(metadata_text(fitting).encode()) == 16_384
    with pytest.raises(MetadataError) as refused:
        metadata_text({**fitting, "99": fitting["99"] + "x"})
    assert (refused.value.path, refused.value.problem) == (
        (),
        "is larger than 16,384 bytes as JSON.",
    )


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_is_stored_exactly_or_refused(number: Decimal | int) -> None:
    try:
        text = metadata_text({"n": number})
    except MetadataError:
        return
    assert exact_json.loads(text)["n"] == number
    assert len(text) < 200
