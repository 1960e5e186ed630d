"""JSON without floats: 0.30000000000000004 is stored and shown exactly as the client sent it.

`loads` returns `int` for integers and `Decimal` for other numbers, and refuses ambiguous JSON;
`dumps` writes both in full. All JSON with quantities goes through this module.
"""

import json
from collections.abc import Iterator
from decimal import (
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
)
from typing import Any, NoReturn

import orjson

MAXIMUM_DIGITS = 1_000  # of a number with a point or an exponent, written out in full

_INTEGER_LIMIT = 2**63
_SHOWN = 60  # characters of a key
_MOST_NOTED = 50_000  # objects: 10,000 events, with some in the metadata of each
_INFINITY = Decimal("Infinity")
_PathKey = str | int  # a key or an index
# Refuses what it would have to round. An exponent of nine digits is a gigabyte when written out.
_BOUNDED = Context(
    prec=MAXIMUM_DIGITS,
    Emin=-MAXIMUM_DIGITS,
    Emax=MAXIMUM_DIGITS,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Subnormal, Underflow],
)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _wide_integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        return _INFINITY


def number(text: str) -> Decimal:
    """Parses a number; Infinity for one beyond MAXIMUM_DIGITS."""
    try:
        return _BOUNDED.create_decimal(text)
    except ArithmeticError:
        return _INFINITY


class Ambiguous(dict[str, Any]):
    """An object with a duplicate key; JSON does not say which value counts."""

    key: str  # the first duplicate


class AmbiguousError(ValueError):
    """Valid JSON with a duplicate key. `value` is the parsed JSON, with Ambiguous objects in it.

    It is None if the JSON is too large to look for the key.
    """

    def __init__(self, message: str, value: Any) -> None:
        super().__init__(message)
        self.value = value


class _RepeatedKeyError(Exception):
    """Ends the fast path."""


def ambiguity(value: Any, *, but_in: str | None = None) -> str | None:
    """Describes where an object has a duplicate key; None if there is none.

    Values under the key `but_in` of items of a list are skipped.
    """
    path: list[_PathKey] = []
    found = value
    entered = [_inside(value, None)]
    while not isinstance(found, Ambiguous):
        step, found = next(entered[-1], (None, None))
        if step is not None:
            path.append(step)
            entered.append(_inside(found, but_in if type(step) is int else None))
            continue
        entered.pop()
        if not entered:
            return None
        path.pop()
    place = shown_key(".".join(map(str, path))) if path else "the object"
    return f"{place} has the key {shown_key(found.key)} twice"


def _inside(value: Any, passed_over: str | None) -> Iterator[tuple[_PathKey, Any]]:
    """The objects and lists in an object or a list, with their keys or indexes."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and key != passed_over:
                yield key, item
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield index, item


def shown_key(key: str) -> str:
    """Quotes a key for a message, shortened if it is long."""
    return repr(key if len(key) <= _SHOWN else key[:_SHOWN] + "…")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


class _Noting:
    """Builds the objects of one text; those with a duplicate key are Ambiguous."""

    def __init__(self) -> None:
        self._left = _MOST_NOTED

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            message = (
                f"there are more than {_MOST_NOTED:,} objects, and one has a key twice or a number"
                " beyond all bounds"
            )
            raise AmbiguousError(message, None)
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        ambiguous = Ambiguous(found)
        for key, _ in pairs:
            if key not in found:
                ambiguous.key = key
                break
            del found[key]
        return ambiguous


_decoder = json.JSONDecoder(
    object_pairs_hook=_unambiguous,
    parse_float=_BOUNDED.create_decimal,  # faster than `number`, which few numbers need
    parse_constant=_refuse_constant,
)


def _wide_decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_Noting(),
        parse_int=_wide_integer,
        parse_float=number,
        parse_constant=_refuse_constant,
    )


def loads(text: str | bytes) -> Any:
    """Parses JSON text. Raises ValueError for invalid JSON, RecursionError if it is too deep.

    A number beyond all bounds (an integer of over 4,300 digits, another of over MAXIMUM_DIGITS)
    becomes Infinity, which later checks refuse with its path. A duplicate key raises
    AmbiguousError, a ValueError that carries the parsed value.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, ArithmeticError, _RepeatedKeyError):
        value = _wide_decoder().decode(text)
    message = ambiguity(value)
    if message is not None:
        raise AmbiguousError(message, value)
    return value


def dumps(value: Any) -> str:
    """Writes JSON text, keys in insertion order. Raises TypeError for what JSON cannot express.

    orjson.JSONEncodeError, a TypeError, also covers lone surrogates, which UTF-8 cannot encode.
    """
    try:
        return orjson.dumps(value, default=_number).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_with_wide_integers(value), default=_number).decode()


def written(text: str) -> Any:
    """Wraps JSON text from PostgreSQL, so that `dumps` copies it digit by digit."""
    return orjson.Fragment(text)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _with_wide_integers(value: Any) -> Any:
    """Turns integers past 64 bits, which orjson refuses, into Decimals."""
    if isinstance(value, dict):
        return {key: _with_wide_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_wide_integers(item) for item in value]
    if type(value) is int and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return Decimal(value)
    return value
