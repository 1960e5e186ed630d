"""Checks the limits of an event's metadata and writes it as JSON."""

from decimal import Decimal
from typing import Any

from metering.problems import ProblemCode
from metering.texts import text_fault
from models import exact_json

MAXIMUM_KEYS = 64
MAXIMUM_KEY = 64
MAXIMUM_LEVELS = 4
MAXIMUM_STRING = 1_000
MAXIMUM_BYTES = 16 * 1024
MAXIMUM_DIGITS = 38
MAXIMUM_EXPONENT = 30

_INTEGER_LIMIT = 10 ** (MAXIMUM_EXPONENT + 1)


class MetadataError(ValueError):
    """Metadata exceeds a limit. `problem` completes a sentence about the value at `path`."""

    def __init__(self, problem: str, path: tuple[str, ...], code: ProblemCode = "INVALID") -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.path = path


def metadata_text(metadata: Any) -> str:
    """Writes metadata as JSON. Raises MetadataError if it exceeds a limit."""
    if type(metadata) is not dict:
        _refuse_ambiguous(metadata, ())
        raise MetadataError("is not a JSON object.", ())
    _check_object(metadata, (), 1)
    text = exact_json.dumps(metadata)
    if len(text) > MAXIMUM_BYTES // 4 and len(text.encode()) > MAXIMUM_BYTES:
        raise MetadataError(f"is larger than {MAXIMUM_BYTES:,} bytes as JSON.", ())
    return text


def _check_object(value: dict[str, Any], path: tuple[str, ...], level: int) -> None:
    if level > MAXIMUM_LEVELS:
        raise MetadataError(f"is nested deeper than {MAXIMUM_LEVELS} levels.", path)
    if len(value) > MAXIMUM_KEYS:
        raise MetadataError(f"has {len(value):,} keys; at most {MAXIMUM_KEYS} are allowed.", path)
    for key, item in value.items():
        if fault := text_fault(key, MAXIMUM_KEY):
            raise MetadataError(f"has a key that {fault[1]}", path, fault[0])
        _check_value(item, path, key, level)


def _check_value(value: Any, path: tuple[str, ...], key: str, level: int) -> None:
    kind = type(value)
    if kind is str:
        if fault := text_fault(value, MAXIMUM_STRING, minimum=0):
            raise MetadataError(fault[1], (*path, key), fault[0])
    elif kind is int or kind is Decimal:
        if not (
            -_INTEGER_LIMIT < value < _INTEGER_LIMIT if kind is int else within_number_limits(value)
        ):
            raise MetadataError(_NUMBER_PROBLEM, (*path, key))
    elif kind is not bool and value is not None:
        _check_container(value, (*path, key), level + 1)


def _check_container(value: Any, path: tuple[str, ...], level: int) -> None:
    if type(value) is dict:
        _check_object(value, path, level)
    elif type(value) is not list:
        _refuse_ambiguous(value, path)
        raise MetadataError(f"is a {type(value).__name__}, which JSON does not have.", path)
    elif level > MAXIMUM_LEVELS:
        raise MetadataError(f"is nested deeper than {MAXIMUM_LEVELS} levels.", path)
    else:
        for index, item in enumerate(value):
            _check_value(item, path, str(index), level)


def _refuse_ambiguous(value: Any, path: tuple[str, ...]) -> None:
    """Refuses an object with a duplicate key, because neither value can be billed."""
    if isinstance(value, exact_json.Ambiguous):
        raise MetadataError(f"has the key {exact_json.shown_key(value.key)} twice.", path)


_NUMBER_PROBLEM = (
    f"is a number outside the limits: at most {MAXIMUM_DIGITS} significant digits, "
    f"a decimal exponent within ±{MAXIMUM_EXPONENT}."
)


def within_number_limits(value: Decimal) -> bool:
    """Whether metadata may hold a number. For zero, only its written length is limited."""
    if not value.is_finite():
        return False
    if not value:
        return abs(value.adjusted()) <= MAXIMUM_DIGITS + MAXIMUM_EXPONENT
    digits = len(value.as_tuple().digits)
    return digits <= MAXIMUM_DIGITS and abs(value.adjusted()) <= MAXIMUM_EXPONENT
