"""Inputs that are passed on as raw JSON instead of being converted field by field."""

from collections.abc import Mapping
from typing import Any, Protocol

from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryObjectDefinition


class Raw(Protocol):
    """An input type with a private field `raw`."""

    raw: Mapping[str, Any]


def kept_raw(input_type: type[Raw]) -> None:
    """Makes instances of `input_type` carry only `raw`: the coerced JSON, keys as in the schema.

    The type's other fields only show clients its shape. The code that reads `raw` serves every way
    in which input arrives.
    """

    def from_input(cls: type, value: Mapping[str, Any], _context: InputContext) -> Any:
        instance: Any = object.__new__(cls)
        instance.raw = value
        return instance

    definition: StrawberryObjectDefinition = input_type.__strawberry_definition__  # type: ignore[attr-defined]  # put there by strawberry.input
    definition.from_input = from_input
