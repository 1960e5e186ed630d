"""Idempotency keys: the field `idempotencyKey`, and the hash of an input.

Inputs that ask for the same thing have the same hash. It ignores the order of fields, whether a
default (mostly null) is written out, how a number is written (1 and "1.00" for a Decimal), and the
time zone of an instant. Everything else must match exactly, including ids and strings.
"""

import dataclasses
import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET


def idempotency_key() -> Any:
    """The input field. `mutates(..., makes=...)` makes the mutation run once for each key."""
    return strawberry.field(
        default=None,
        description="Your key for this call: 1 to 255 characters. If you send the same key and "
        "input again, the mutation is not repeated; it returns the object that it "
        "made the first time. The same key with another input is a CONFLICT. Keys "
        "are kept for at least 30 days.",
    )


def input_hash(sent: Any) -> bytes:
    """Returns the SHA-256 of an input object without its idempotency key."""
    fields = _canonical(sent)
    fields.pop("idempotency_key", None)
    # Escaped to ASCII, so that half of a surrogate pair can be hashed too.
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()


def _canonical(value: Any) -> Any:  # noqa: PLR0911  # an input has as many kinds of values
    match value:
        case None | bool() | str():
            return value
        case enum.Enum():
            return value.name
        case int() | Decimal():
            return {"number": _number(Decimal(value))}
        case datetime():
            return {"instant": value.astimezone(UTC).isoformat()}
        case Mapping():
            return {key: _canonical(item) for key, item in value.items() if item is not None}
        case Sequence():
            return [_canonical(item) for item in value]
    # An input type: its `raw` JSON if it keeps that, else its fields.
    if hasattr(value, "raw"):
        return _canonical(value.raw)
    return {
        field.name: _canonical(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if not is_left_out(field, getattr(value, field.name))
    }


def _number(value: Decimal) -> str:
    """Writes equal numbers alike, however long their exponents are."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # Infinity, which every check refuses
        return str(value)
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    if not stripped:
        return "0"
    return f"{'-' if sign else ''}{stripped}e{exponent + len(text) - len(stripped)}"


def is_left_out(field: "dataclasses.Field[Any]", value: Any) -> bool:
    """Whether a field of an input was left out, or its default was written out."""
    if value is UNSET:
        return True
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)
