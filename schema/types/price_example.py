"""Examples of prices: what so many units cost."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import strawberry

from billing.numbers import LARGEST_AMOUNT, decimal_problems
from billing.rating.dimension_rates import rate_of
from billing.rating.pricing import Tariff
from metering.usage.grouping import DimensionValue
from schema.errors import AmountTooLarge, BadUserInput, bad_input
from schema.inputs.dimensions import DimensionValueInput
from schema.scalars import BigInt

MAXIMUM_EXAMPLES = 20

ExampleUnits = Annotated[
    list[Decimal],
    strawberry.argument(
        description="The billable units of a period, after credit, of each example: at most "
        f"{MAXIMUM_EXAMPLES}."
    ),
]


ExampleValues = Annotated[
    list[DimensionValueInput] | None,
    strawberry.argument(
        description="The values of the meter's dimensions that the units have. They decide which "
        "rate prices them."
    ),
]


@strawberry.type(description="What a number of units costs.")
class PriceExample:
    tariff: strawberry.Private[Tariff]
    rate: strawberry.Private[int]
    units: Decimal = strawberry.field(description="The billable units of a period, after credit.")

    @strawberry.field(
        description="The charge for them in minor units: rounded, at most the price's capAmount, "
        "and at least its minimumAmount. Null, with the error AMOUNT_TOO_LARGE, if it is too large "
        "to be invoiced."
    )
    def amount(self) -> BigInt | None:
        amount = self.tariff.amount(self.units, self.rate)
        if amount > LARGEST_AMOUNT:
            raise AmountTooLarge(f"{amount:,} is beyond {LARGEST_AMOUNT:,} minor units")
        return BigInt(amount)


def price_examples(
    tariff: Tariff, units: Sequence[Decimal], values: Sequence[DimensionValueInput] | None
) -> list[PriceExample]:
    """Returns what each number of units costs. Raises BadUserInput for impossible units."""
    if len(units) > MAXIMUM_EXAMPLES:
        message = f"`units` may have at most {MAXIMUM_EXAMPLES} numbers, not {len(units)}"
        raise BadUserInput(message, path=["units"])
    for index, number in enumerate(units):
        for found in decimal_problems(number, "units"):
            raise bad_input(replace(found, path=("units", str(index))))
    given = [DimensionValue(one.property, one.value) for one in values or ()]
    rate = rate_of(tariff.scheme.rates, given)
    return [PriceExample(tariff=tariff, rate=rate, units=number) for number in units]
