"""Price schemes: how units become an amount. Pure.

To add a scheme, add a member of Pricing, its class, and its case in `scheme_class`: mypy fails
without the case. Then describe the member in `schema.billing_enums`, and its parameters in
`schema.inputs.products` and `schema.types.product`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self

from billing.numbers import (
    amount_problems,
    minus,
    plus,
    started,
    times,
    unit_amount_problems,
    units_problems,
)
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
    """A type of parameter: how to check it, store it as JSON and load it."""

    problems: Callable[..., Iterator[Problem]]
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]


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


class PriceScheme(ABC):
    """A scheme and its parameters, which are the attributes that `parameters` names."""

    __slots__ = ()

    pricing: ClassVar[Pricing]
    parameters: ClassVar[Mapping[str, Parameter]]

    @classmethod
    def problems(cls, given: Mapping[str, Any], *path: str | int) -> Iterator[Problem]:
        """Yields what is wrong with the given parameters. One that was left out is None."""
        for name in dict.fromkeys([*given, *cls.parameters]):
            value, parameter, field = given.get(name), cls.parameters.get(name), _camel(name)
            if parameter is None and value is not None:
                message = f"{field} does not belong to {cls.pricing} pricing."
                yield problem("INVALID", message, *path, field)
            elif parameter is not None and value is None:
                message = f"{cls.pricing} pricing needs {field}."
                yield problem("INVALID", message, *path, field)
            elif parameter is not None:
                yield from parameter.problems(value, *path, field)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Makes the scheme from parameters that have no problems."""
        return cls(**{name: given[name] for name in cls.parameters})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Loads the scheme from what `to_json` returned."""
        return cls(
            **{
                name: parameter.from_json(stored[_camel(name)])
                for name, parameter in cls.parameters.items()
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the parameters by their names in the API, with decimals as text."""
        return {
            _camel(name): parameter.to_json(getattr(self, name))
            for name, parameter in self.parameters.items()
        }

    @abstractmethod
    def exact_amount(self, units: Decimal) -> Decimal:
        """Returns the exact price of `units`, which are above zero, in minor units."""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@dataclass(frozen=True, slots=True)
class PerUnit(PriceScheme):
    """Every unit costs the same."""

    pricing: ClassVar = Pricing.PER_UNIT
    parameters: ClassVar = {"unit_amount": UNIT_AMOUNT}

    unit_amount: Decimal

    def exact_amount(self, units: Decimal) -> Decimal:
        """Returns the exact price of `units`, which are above zero, in minor units."""
        return times(units, self.unit_amount)


@dataclass(frozen=True, slots=True)
class Graduated(PriceScheme):
    """The units within each tier cost what that tier says."""

    pricing: ClassVar = Pricing.GRADUATED
    parameters: ClassVar = {"tiers": TIERS}

    tiers: Sequence[Tier]

    def exact_amount(self, units: Decimal) -> Decimal:
        """Returns the exact price of `units`, which are above zero, in minor units."""
        amount, below = Decimal(0), Decimal(0)
        for tier in self.tiers:
            if units <= below:
                break
            top = units if tier.up_to is None else min(units, tier.up_to)
            part = times(minus(top, below), tier.unit_amount)
            amount = plus(plus(amount, part), Decimal(tier.flat_amount))
            below = top
        return amount


@dataclass(frozen=True, slots=True)
class Volume(PriceScheme):
    """All units cost what the tier that they reach says."""

    pricing: ClassVar = Pricing.VOLUME
    parameters: ClassVar = {"tiers": TIERS}

    tiers: Sequence[Tier]

    def exact_amount(self, units: Decimal) -> Decimal:
        """Returns the exact price of `units`, which are above zero, in minor units."""
        reached = next(tier for tier in self.tiers if tier.up_to is None or units <= tier.up_to)
        return plus(times(units, reached.unit_amount), Decimal(reached.flat_amount))


@dataclass(frozen=True, slots=True)
class Package(PriceScheme):
    """Every started package of `package_size` units costs `package_amount`."""

    pricing: ClassVar = Pricing.PACKAGE
    parameters: ClassVar = {"package_amount": AMOUNT, "package_size": UNITS}

    package_amount: int
    package_size: Decimal

    def exact_amount(self, units: Decimal) -> Decimal:
        """Returns the exact price of `units`, which are above zero, in minor units."""
        return Decimal(started(units, self.package_size) * self.package_amount)


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
