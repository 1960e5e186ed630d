"""Makes events from rows by the templates in the command's options.

A template says how to build a text:

    ai_usage            that text, for every row
    {Model}             the row's value in the column Model
    {row}               the row's number, from 1; the header is not counted
    {row%10}            the row's number modulo 10: 0 to 9
    customer-{row%10}   texts and fields together
    {{ and }}           braces
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from models import exact_json

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_QUOTED = 60  # characters of a bad value
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]+)\}|(?P<brace>[{}])|[^{}]+")
_ROW = re.compile(r"row(?:%(?P<modulo>[1-9][0-9]{0,17}))?", re.ASCII)


class RowError(ValueError):
    """A row that makes no event; the message continues "line 7: …"."""


class TemplateError(ValueError):
    """A malformed template; the message says why."""


@dataclass(frozen=True)
class _Text:
    text: str


@dataclass(frozen=True)
class _Column:
    name: str


@dataclass(frozen=True)
class _RowNumber:
    modulo: int | None


@dataclass(frozen=True)
class Template:
    """A parsed template."""

    parts: tuple[_Text | _Column | _RowNumber, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Parses a template; raises TemplateError."""
        parts: list[_Text | _Column | _RowNumber] = []
        for token in _TOKEN.finditer(text):
            if token["brace"]:
                raise TemplateError(f"{text!r} has an unmatched brace. Write {{{{ for a brace.")
            if token["field"] is None:
                parts.append(_Text(token[0].replace("{{", "{").replace("}}", "}")))
            elif row := _ROW.fullmatch(token["field"]):
                parts.append(_RowNumber(int(row["modulo"]) if row["modulo"] else None))
            else:
                parts.append(_Column(token["field"]))
        return cls(tuple(parts))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names."""
        return frozenset(part.name for part in self.parts if isinstance(part, _Column))

    def render(self, number: int, values: Mapping[str, str]) -> str | None:
        """Returns the text for a row; None if a column that it names is blank or missing."""
        texts = []
        for part in self.parts:
            match part:
                case _Text(text):
                    texts.append(text)
                case _Column(name):
                    value = values.get(name)
                    if not value or value.isspace():
                        return None
                    texts.append(value)
                case _RowNumber(modulo):
                    texts.append(str(number if modulo is None else number % modulo))
        return "".join(texts)


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise RowError(f"{_quoted(text)} is not a number")
    number = exact_json.number(text.strip())
    if not number.is_finite():
        raise RowError(f"{_quoted(text)} is a number that is too large or too small")
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
    """Raises RowError if blank columns leave the event without any of these parts."""
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

    A part without a template, or whose template renders to None, is left out.
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
        """The columns that every row needs."""
        needed = (self.name, self.customer, self.customer_id)
        return frozenset().union(*(part.columns for part in needed if part is not None))

    def event(self, number: int, values: Mapping[str, str]) -> dict[str, Any]:
        """Makes the event of a row, with the keys of EventInput; raises RowError."""
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
