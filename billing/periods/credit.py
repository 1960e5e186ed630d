"""The credit of a period, and what of it the next period gets. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from billing.numbers import minus, plus

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's credit on a meter in one period, in units.

    Usage burns `plain` first, and what is left of it expires with the period. `rolling` may carry
    over: it is the grants with rollover, the manual credit and what was carried over before.
    """

    plain: Decimal = NOTHING
    rolling: Decimal = NOTHING

    @property
    def credited(self) -> Decimal:
        """All the credit of the period."""
        return plus(self.plain, self.rolling)

    @property
    def negative(self) -> "Credit":
        """The same units with the opposite sign."""
        return Credit(minus(NOTHING, self.plain), minus(NOTHING, self.rolling))

    def plus(self, other: "Credit") -> "Credit":
        """Returns the sum."""
        return Credit(plus(self.plain, other.plain), plus(self.rolling, other.rolling))

    def minus(self, other: "Credit") -> "Credit":
        """Returns the difference."""
        return self.plus(other.negative)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a change of the subscription ends a period early.

    `granted` is what benefits granted for the period. `revocable` is the part of it for the time
    that is not served: it is taken back as far as it is unused.
    """

    granted: Credit
    revocable: Credit


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What the next period gets of a period's credit: `carried`, less `revoked`."""

    carried: Credit = Credit()
    revoked: Credit = Credit()

    @property
    def net(self) -> Credit:
        """What the next period really gets."""
        return self.carried.minus(self.revoked)

    def less(self, earlier: "PassedOn") -> "PassedOn":
        """Returns how this differs from what was passed on earlier."""
        return PassedOn(self.carried.minus(earlier.carried), self.revoked.minus(earlier.revoked))


NOTHING_PASSED = PassedOn()


def carried_over(credit: Credit, consumed: Decimal) -> Decimal:
    """Returns the units that carry over into the next period: unused ones, at most the rolling."""
    left = minus(credit.credited, consumed)
    return max(NOTHING, min(left, credit.rolling))


def passed_on(credit: Credit, consumed: Decimal, cut: Cut | None = None) -> PassedOn:
    """Returns what the next period gets of a period's credit, after its usage.

    At the end of a period, that is rolling credit. At a cut, it is all that is unused, less what is
    revocable. Usage burns the period's own grants before credit that was there already: this keeps
    most of what is not the product's.
    """
    rolling = carried_over(credit, consumed)
    if cut is None:
        return PassedOn(Credit(rolling=rolling))
    left = minus(minus(credit.credited, consumed), rolling)
    plain = max(NOTHING, min(left, credit.plain))
    return PassedOn(
        carried=Credit(plain, rolling),
        revoked=Credit(
            _revoked(credit.plain, plain, cut.granted.plain, cut.revocable.plain),
            _revoked(credit.rolling, rolling, cut.granted.rolling, cut.revocable.rolling),
        ),
    )


def _revoked(credited: Decimal, left: Decimal, granted: Decimal, revocable: Decimal) -> Decimal:
    """Returns how much of the revocable units is unused, of which `left` is the unused credit."""
    burned = max(NOTHING, minus(credited, left))
    return max(NOTHING, min(revocable, minus(granted, burned), left))
