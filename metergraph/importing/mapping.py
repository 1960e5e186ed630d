"""From a row to an event, as the options of the command say."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metergraph.importing.template import Template
from models import exact_json

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_QUOTED = 60  # characters of what is refused
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class RowError(ValueError):
    """A row that makes no event; the message completes the sentence "line 7: …"."""


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise RowError(f"{_quoted(text)} is not a number")
    number = exact_json.number(text.strip())
    if not number.is_finite():
        raise RowError(f"{_quoted(text)} is too large or too small a number")
    return number


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise RowError(f"{_quoted(text)} is not true, false, yes, no, 1 or 0") from None


def _json(text: str) -> Any:
    try:
        return exact_json.loads(text)
    except exact_json.AmbiguousError as error:
        raise RowError(f"{_quoted(text)} is ambiguous: {error}") from None
    except (ValueError, RecursionError):
        raise RowError(f"{_quoted(text)} is not JSON") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…")


METADATA_TYPES: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}


def _require(
    what: str,
    event: Mapping[str, Any],
    templates: Mapping[str, Template | None],
    values: Mapping[str, str],
) -> None:
    """Raises RowError where columns that are blank leave the event without all of these parts."""
    if all(event.get(key) is None for key in templates):
        used = [template for template in templates.values() if template is not None]
        for column in (column for template in used for column in sorted(template.columns)):
            if not values.get(column, "").strip():
                raise RowError(f"has no {what}: the column {column} is empty")


@dataclass(frozen=True)
class MetadataField:
    """A key of the metadata; `kind` is one of METADATA_TYPES."""

    key: str
    kind: str
    template: Template


@dataclass(frozen=True)
class EventMapping:
    """Where the parts of an event come from.

    A part that has no template, or whose template renders to None, is left out.
    """

    name: Template | None = None
    customer: Template | None = None
    customer_id: Template | None = None
    timestamp: Template | None = None
    external_id: Template | None = None
    metadata: tuple[MetadataField, ...] = ()

    @property
    def _texts(self) -> dict[str, Template | None]:
        return {
            "name": self.name,
            "externalCustomerId": self.customer,
            "customerId": self.customer_id,
            "timestamp": self.timestamp,
            "externalId": self.external_id,
        }

    def __bool__(self) -> bool:
        """Whether it maps anything."""
        return bool(self.metadata) or any(self._texts.values())

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names."""
        templates = [field.template for field in self.metadata]
        templates += [template for template in self._texts.values() if template is not None]
        return frozenset(column for template in templates for column in template.columns)

    @property
    def needed_columns(self) -> frozenset[str]:
        """Those without which a row makes no event."""
        needed = (self.name, self.customer, self.customer_id)
        return frozenset().union(*(part.columns for part in needed if part is not None))

    def event(self, number: int, values: Mapping[str, str]) -> dict[str, Any]:
        """The event of a row, with the keys of EventInput; raises RowError."""
        event: dict[str, Any] = {}
        for key, template in self._texts.items():
            if template is not None:
                event[key] = template.render(number, values)
        _require("name", event, {"name": self.name}, values)
        customers = {"externalCustomerId": self.customer, "customerId": self.customer_id}
        _require("customer", event, customers, values)
        metadata = {}
        for field in self.metadata:
            text = field.template.render(number, values)
            if text is not None:
                try:
                    metadata[field.key] = METADATA_TYPES[field.kind](text)
                except RowError as error:
                    raise RowError(f"{field.key}: {error}") from None
        return {**event, "metadata": metadata}
