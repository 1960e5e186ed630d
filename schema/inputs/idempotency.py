"""Idempotency keys: the field `idempotencyKey`, and the hash of an input.

The hash is equal for inputs that ask for the same.
These are the same: fields in another order; a field that is left out and one that has its default,
which is null for most; numbers of one value (1 and "1.00" where a Decimal stands); one instant in
two time zones. All else is compared to the letter, ids and texts included.
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
    """The field. The mutation says `mutates(..., makes=...)`, which carries it out once a key."""
    return strawberry.field(
        default=None,
        description="Your key for this call: 1 to 255 characters. If you send the same key and "
        "input again, the mutation is not repeated but returns the object that it made. The "
        "same key with another input is a CONFLICT. Keys are kept for at least 30 days.",
    )


def input_hash(sent: Any) -> bytes:
    """SHA-256 of an input object, its idempotency key aside."""
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
    # An input type: what it was sent as, where it keeps that, or else its fields.
    if hasattr(value, "raw"):
        return _canonical(value.raw)
    return {
        field.name: _canonical(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if not _is_left_out(field, getattr(value, field.name))
    }


def _number(value: Decimal) -> str:
    """Equal for equal numbers, however long their exponents are."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # Infinity, which is refused wherever it stands
        return str(value)
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    if not stripped:
        return "0"
    return f"{'-' if sign else ''}{stripped}e{exponent + len(text) - len(stripped)}"


def _is_left_out(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if value is UNSET:
        return True
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)
