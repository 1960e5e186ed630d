"""JSON without floats: what a client sent as 0.30000000000000004 is stored and shown so.

`loads` gives `int` for integers and `Decimal` for every other number; `dumps` writes both
in full. A leaf: everything that reads or writes JSON with quantities in it goes through here.
"""

import json
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
_INFINITY = Decimal("Infinity")
# Refuses what it would have to round. An exponent of nine digits is a gigabyte once written out.
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
    """The number that a text writes in digits; Infinity for one beyond MAXIMUM_DIGITS."""
    try:
        return _BOUNDED.create_decimal(text)
    except ArithmeticError:
        return _INFINITY


_decoder = json.JSONDecoder(
    parse_float=_BOUNDED.create_decimal,  # faster than `number`, which few numbers need
    parse_constant=_refuse_constant,
)
_wide_decoder = json.JSONDecoder(
    parse_int=_wide_integer, parse_float=number, parse_constant=_refuse_constant
)


def loads(text: str | bytes) -> Any:
    """Parses JSON text; raises ValueError where it is none, RecursionError where it is too deep.

    A number beyond all bounds (an integer of over 4,300 digits, another of over MAXIMUM_DIGITS) is
    JSON all the same: it becomes Infinity, for the limits to refuse where the number stands.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, ArithmeticError):
        return _wide_decoder.decode(text)


def dumps(value: Any) -> str:
    """JSON text, keys in the order of insertion; raises TypeError for what JSON cannot say.

    orjson.JSONEncodeError (a TypeError) also stands for lone surrogates, which UTF-8 cannot carry.
    """
    try:
        return orjson.dumps(value, default=_number).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_with_wide_integers(value), default=_number).decode()


def written(text: str) -> Any:
    """JSON text that PostgreSQL has written, for `dumps` to take in as it is, digit by digit."""
    return orjson.Fragment(text)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _with_wide_integers(value: Any) -> Any:
    """Spelled so that orjson takes them: it refuses integers past 64 bits, but not Decimals."""
    if isinstance(value, dict):
        return {key: _with_wide_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_wide_integers(item) for item in value]
    if type(value) is int and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return Decimal(value)
    return value
