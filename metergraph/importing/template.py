"""The small language in which an import says where an event's text comes from.

ai_usage            that text, for every row
{Model}             what the row has in the column Model
{row}               the row's number, from 1, the header not counted
{row%10}            the row's number modulo 10: 0 to 9
customer-{row%10}   texts and fields together
{{ and }}           braces
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]+)\}|(?P<brace>[{}])|[^{}]+")
_ROW = re.compile(r"row(?:%(?P<modulo>[1-9][0-9]{0,17}))?", re.ASCII)


class TemplateError(ValueError):
    """A template that cannot be read; the message says why."""


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
        """Reads the language of this module; raises TemplateError."""
        parts: list[_Text | _Column | _RowNumber] = []
        for token in _TOKEN.finditer(text):
            if token["brace"]:
                raise TemplateError(f"{text!r} has a brace without its partner; {{{{ is a brace.")
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
        """The text for a row; None where a column that it names is blank or missing."""
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
