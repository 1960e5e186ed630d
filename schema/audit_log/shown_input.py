"""The input of a mutation as its entry shows it: JSON without secrets, cut if it is huge."""

import dataclasses
import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from metering.texts import is_storable
from schema.inputs.idempotency import is_left_out
from schema.scalars import print_datetime, print_decimal

LONGEST_TEXT = 1_000
"""Characters of a text that are kept."""
MOST_CHARACTERS = 20_000
"""Characters of an input, about, after which lists and objects are cut."""

SECRET = "[secret]"  # noqa: S105  # stands for one
_SECRET_NAME = re.compile("token|secret|password", re.IGNORECASE)
# Secrets of Metergraph and of webhooks, also inside a longer text; and passwords in URLs.
_SECRET_TEXT = re.compile(
    r"(?<![A-Za-z0-9])(?:mg_|whsec_)[A-Za-z0-9_+/=-]{8,}|(?<=://)[^/@\s]+(?=@)"
)
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def shown_input(sent: Any) -> dict[str, Any]:
    """Returns the fields that were sent, by their names in the API.

    `sent` is an input object of the API, or the options of a command by name.
    """
    shown: dict[str, Any] = _Shortening().value(sent)
    return shown


class _Shortening:
    """Writes values as JSON, and counts how much there is room for."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def value(self, value: Any) -> Any:  # noqa: PLR0911  # an input has as many kinds of values
        match value:
            case enum.Enum():
                return self._counted(value.name)
            case str():
                return self._text(value)
            case None | bool() | int():
                return self._counted(value)
            case Decimal():
                return self._counted(print_decimal(value) if value.is_finite() else str(value))
            case datetime():
                return self._counted(print_datetime(value))
            case Mapping():
                return self._object(value.items())
            case Sequence():
                return self._list(value)
        # An input type: the JSON that was sent if it keeps that, else its fields.
        if hasattr(value, "raw"):
            return self.value(value.raw)
        return self._object(_fields(value))

    def _object(self, items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found = {}
        pending = list(items)
        for place, (name, item) in enumerate(pending):
            if self._left <= 0:
                found["…"] = _cut(len(pending) - place, "field")
                break
            self._counted(name)
            is_secret = isinstance(item, str) and _SECRET_NAME.search(name)
            found[_storable(name)] = SECRET if is_secret else self.value(item)
        return found

    def _list(self, items: Sequence[Any]) -> list[Any]:
        found = []
        for place, item in enumerate(items):
            if self._left <= 0:
                found.append(_cut(len(items) - place, "item"))
                break
            found.append(self.value(item))
        return found

    def _text(self, text: str) -> str:
        shown = _storable(_SECRET_TEXT.sub(SECRET, text))
        if len(shown) > LONGEST_TEXT:
            shown = shown[:LONGEST_TEXT] + _cut(len(shown) - LONGEST_TEXT, "character")
        self._counted(shown)
        return shown

    def _counted(self, value: Any) -> Any:
        self._left -= len(str(value)) + 1
        return value


def _fields(sent: Any) -> list[tuple[str, Any]]:
    definition = get_object_definition(sent, strict=True)
    names = {
        field.python_name: field.graphql_name or to_camel_case(field.python_name)
        for field in definition.fields
    }
    return [
        (names[field.name], value)
        for field in dataclasses.fields(sent)
        if not is_left_out(field, value := getattr(sent, field.name))
    ]


def _cut(count: int, thing: str) -> str:
    return f"… [cut: {count:,} more {thing}{'' if count == 1 else 's'}]"


def _storable(text: str) -> str:
    """Replaces what PostgreSQL cannot store: NUL, and halves of surrogate pairs."""
    return text if is_storable(text) else _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
