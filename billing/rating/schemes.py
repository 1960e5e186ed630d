"""Price schemes: how units become an amount. Pure.

To add a scheme, add a member of Pricing, its class, and its case in `scheme_class`: mypy fails
without the case. Then describe the member in `schema.billing_enums`, and its parameters in
`schema.inputs.products` and `schema.types.price`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Any, ClassVar, Self

from billing.numbers import amount_problems, unit_amount_problems, units_problems
from billing.rating.dimension_rates import (
    DimensionRate,
    rates_from_json,
    rates_problems,
    rates_to_json,
)
from billing.rating.steps import Step, per_unit
from metering.problems import Problem, problem

MAXIMUM_TIERS = 100


class Pricing(StrEnum):
    """The name of a price scheme."""

    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to`, or without end. `flat_amount` is charged once."""

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A type of parameter: how to check it, store it as JSON and load it.

    One that is not required has the default of its class if it is left out.
    """

    problems: Callable[..., Iterator[Problem]]
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]
    is_required: bool = True


def _text(value: Decimal) -> str:
    return format(value, "f")


def _tiers_problems(tiers: Sequence[Tier], *path: str | int) -> Iterator[Problem]:
    if not tiers:
        yield problem("INVALID", "There must be at least one tier.", *path)
    if len(tiers) > MAXIMUM_TIERS:
        yield problem("LIMIT_EXCEEDED", f"There can be at most {MAXIMUM_TIERS} tiers.", *path)
        return
    below: Decimal | None = None
    for index, tier in enumerate(tiers):
        last = index == len(tiers) - 1
        yield from unit_amount_problems(tier.unit_amount, *path, index, "unitAmount")
        yield from amount_problems(tier.flat_amount, *path, index, "flatAmount")
        end = (*path, index, "upTo")
        if last and tier.up_to is not None:
            yield problem("INVALID", "The last tier has no upper bound: omit its upTo.", *end)
        if not last and tier.up_to is None:
            yield problem("INVALID", "Only the last tier may omit upTo.", *end)
        if tier.up_to is None:
            continue
        yield from units_problems(tier.up_to, *end)
        if below is not None and tier.up_to <= below:
            yield problem("INVALID", "Each tier must end above the one before it.", *end)
        below = tier.up_to


def _tiers_to_json(tiers: Sequence[Tier]) -> list[dict[str, Any]]:
    return [
        {
            "upTo": None if tier.up_to is None else _text(tier.up_to),
            "unitAmount": _text(tier.unit_amount),
            "flatAmount": int(tier.flat_amount),
        }
        for tier in tiers
    ]


def _tiers_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Tier, ...]:
    return tuple(
        Tier(
            up_to=None if tier["upTo"] is None else Decimal(tier["upTo"]),
            unit_amount=Decimal(tier["unitAmount"]),
            flat_amount=tier["flatAmount"],
        )
        for tier in stored
    )


UNIT_AMOUNT = Parameter(unit_amount_problems, _text, Decimal)
AMOUNT = Parameter(amount_problems, int, int)
UNITS = Parameter(units_problems, _text, Decimal)
TIERS = Parameter(_tiers_problems, _tiers_to_json, _tiers_from_json)
RATES = Parameter(rates_problems, rates_to_json, rates_from_json, is_required=False)
FLAG = Parameter(lambda _value, *_path: iter(()), bool, bool, is_required=False)


class PriceScheme(ABC):
    """A scheme and its parameters, which are the attributes that `parameters` names."""

    __slots__ = ()

    pricing: ClassVar[Pricing]
    parameters: ClassVar[Mapping[str, Parameter]]
    rates: Sequence[DimensionRate] = ()

    @classmethod
    def problems(cls, given: Mapping[str, Any], *path: str | int) -> Iterator[Problem]:
        """Yields what is wrong with the given parameters. One that was left out is None."""
        for name in dict.fromkeys([*given, *cls.parameters]):
            value, parameter, field = given.get(name), cls.parameters.get(name), _camel(name)
            if parameter is None and value is not None:
                message = f"{field} does not belong to {cls.pricing} pricing."
                yield problem("INVALID", message, *path, field)
            elif parameter is not None and value is None and parameter.is_required:
                message = f"{cls.pricing} pricing needs {field}."
                yield problem("INVALID", message, *path, field)
            elif parameter is not None and value is not None:
                yield from parameter.problems(value, *path, field)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Makes the scheme from parameters that have no problems."""
        found = {name: given.get(name) for name in cls.parameters}
        return cls(**{name: value for name, value in found.items() if value is not None})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Loads the scheme from what `to_json` returned."""
        return cls(
            **{
                name: parameter.from_json(stored[_camel(name)])
                for name, parameter in cls.parameters.items()
                if _camel(name) in stored
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the parameters by their names in the API, with decimals as text."""
        return {
            _camel(name): parameter.to_json(value)
            for name, parameter in self.parameters.items()
            if (value := getattr(self, name)) or parameter.is_required
        }

    def steps(self, units: Fraction) -> list[Step]:
        """Returns what `units`, which are not below zero, cost; it is not rounded."""
        return self._steps_of(units) if units else self._steps_at_zero()

    def at_rate(self, number: int) -> "PriceScheme":  # noqa: ARG002  # of schemes that have rates
        """Returns the scheme of a rate; the number after the last one is that of other units."""
        return self

    @abstractmethod
    def _steps_of(self, units: Fraction) -> list[Step]:
        """Returns what `units`, which are above zero, cost."""

    def _steps_at_zero(self) -> list[Step]:
        """Returns what is due without usage."""
        return []


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@dataclass(frozen=True, slots=True)
class PerUnit(PriceScheme):
    """Every unit costs the same, or what the first of the rates says that its event matches."""

    pricing: ClassVar = Pricing.PER_UNIT
    parameters: ClassVar = {"unit_amount": UNIT_AMOUNT, "rates": RATES}

    unit_amount: Decimal
    rates: Sequence[DimensionRate] = ()

    def at_rate(self, number: int) -> "PerUnit":
        """Returns the scheme of a rate; the number after the last one is that of other units."""
        others = number >= len(self.rates)
        return PerUnit(self.unit_amount if others else self.rates[number].unit_amount)

    def _steps_of(self, units: Fraction) -> list[Step]:
        return [per_unit("Each unit", units, self.unit_amount)]


@dataclass(frozen=True, slots=True)
class Tiered(PriceScheme):
    """A scheme with tiers. The flat amount of the first one may be due without usage too."""

    parameters: ClassVar = {"tiers": TIERS, "bills_flat_amount_at_zero": FLAG}

    tiers: Sequence[Tier]
    bills_flat_amount_at_zero: bool = False

    def _steps_at_zero(self) -> list[Step]:
        flat = self.tiers[0].flat_amount if self.bills_flat_amount_at_zero else 0
        return [Step("Without usage", Fraction(flat), flat_amount=flat)] if flat else []

    def _name(self, number: int) -> str:
        """Says which units are in a tier, whose number counts from 0."""
        end, start = self.tiers[number].up_to, self.tiers[number - 1].up_to if number else None
        bounds = [] if start is None else [f"above {start:,f}"]
        bounds += [] if end is None else [f"up to {end:,f}"]
        return f"Tier {number + 1}, {' '.join(bounds) or 'any number of'} units"


@dataclass(frozen=True, slots=True)
class Graduated(Tiered):
    """The units within each tier cost what that tier says."""

    pricing: ClassVar = Pricing.GRADUATED

    def _steps_of(self, units: Fraction) -> list[Step]:
        steps, below = [], Fraction(0)
        for number, tier in enumerate(self.tiers):
            if units <= below:
                break
            top = units if tier.up_to is None else min(units, Fraction(tier.up_to))
            steps.append(
                per_unit(self._name(number), top - below, tier.unit_amount, tier.flat_amount)
            )
            below = top
        return steps


@dataclass(frozen=True, slots=True)
class Volume(Tiered):
    """All units cost what the tier that they reach says."""

    pricing: ClassVar = Pricing.VOLUME

    def _steps_of(self, units: Fraction) -> list[Step]:
        number, reached = next(
            (number, tier)
            for number, tier in enumerate(self.tiers)
            if tier.up_to is None or units <= tier.up_to
        )
        return [per_unit(self._name(number), units, reached.unit_amount, reached.flat_amount)]


@dataclass(frozen=True, slots=True)
class Package(PriceScheme):
    """Every started package of `package_size` units costs `package_amount`."""

    pricing: ClassVar = Pricing.PACKAGE
    parameters: ClassVar = {"package_amount": AMOUNT, "package_size": UNITS}

    package_amount: int
    package_size: Decimal

    def _steps_of(self, units: Fraction) -> list[Step]:
        packages = Fraction(ceil(units / Fraction(self.package_size)))
        name = f"Started packages of {self.package_size:,f} units"
        return [per_unit(name, packages, Decimal(self.package_amount))]


def scheme_class(pricing: Pricing) -> type[PriceScheme]:
    """Returns the class of a scheme."""
    match pricing:
        case Pricing.PER_UNIT:
            return PerUnit
        case Pricing.GRADUATED:
            return Graduated
        case Pricing.VOLUME:
            return Volume
        case Pricing.PACKAGE:
            return Package
