"""Conversion of a meter's units into the units of a price, such as bytes into gigabytes. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Any

from billing.numbers import MAXIMUM_DECIMALS, decimal_of, half_away, units_problems
from metering.problems import Problem, problem


class RoundingMode(StrEnum):
    """How converted units are rounded. They are never below zero."""

    NONE = "NONE"
    UP = "UP"
    DOWN = "DOWN"
    HALF_UP = "HALF_UP"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Divides units by `divide_by` and rounds the result to `decimals`."""

    divide_by: Decimal
    rounding: RoundingMode = RoundingMode.NONE
    decimals: int = 0

    def problems(self, *path: str | int) -> Iterator[Problem]:
        """Yields what is wrong with the conversion."""
        yield from units_problems(self.divide_by, *path, "divideBy")
        if not 0 <= self.decimals <= MAXIMUM_DECIMALS:
            message = f"decimals must be from 0 to {MAXIMUM_DECIMALS}."
            yield problem("INVALID", message, *path, "decimals")

    def exact(self, units: Fraction) -> Fraction:
        """Returns the converted units that are priced."""
        converted = units / Fraction(self.divide_by)
        scale = 10**self.decimals
        match self.rounding:
            case RoundingMode.NONE:
                return converted
            case RoundingMode.UP:
                return Fraction(ceil(converted * scale), scale)
            case RoundingMode.DOWN:
                return Fraction(floor(converted * scale), scale)
            case RoundingMode.HALF_UP:
                return Fraction(half_away(converted * scale), scale)

    @property
    def description(self) -> str:
        """What the conversion does, for people."""
        words = {
            RoundingMode.NONE: "",
            RoundingMode.UP: ", rounded up",
            RoundingMode.DOWN: ", rounded down",
            RoundingMode.HALF_UP: ", rounded",
        }[self.rounding]
        if words and self.decimals:
            words += f" to {self.decimals} decimals"
        return f"Divided by {self.divide_by:,f}{words}"

    def shown(self, units: Decimal) -> Decimal:
        """Returns the converted units for people: to 12 decimals if they are not rounded."""
        is_exact = self.rounding is RoundingMode.NONE
        decimals = MAXIMUM_DECIMALS if is_exact else self.decimals
        return decimal_of(self.exact(Fraction(units)), decimals)

    def to_json(self) -> dict[str, Any]:
        """Returns the conversion by its names in the API."""
        return {
            "divideBy": format(self.divide_by, "f"),
            "round": self.rounding.value,
            "decimals": self.decimals,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Conversion":
        """Loads the conversion from what `to_json` returned."""
        rounding = RoundingMode(stored["round"])
        return cls(Decimal(stored["divideBy"]), rounding, stored["decimals"])
