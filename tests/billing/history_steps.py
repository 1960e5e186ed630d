"""What may happen in a random history of a customer."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from billing.subscriptions.life import CancelWhen


@dataclass
class Send:
    """An event that happened `back` hours ago; it is received now."""

    back: int
    tokens: Any
    model: str | None = None


@dataclass
class Count:
    """The worker counts what is pending."""


@dataclass
class Wait:
    """Hours pass."""

    hours: int


@dataclass
class WaitForEnd:
    """Time passes to a moment after the end of the current period, and nothing else happens."""


@dataclass
class Cycle:
    """The cycle runs."""


@dataclass
class CreditByHand:
    """Somebody credits or debits units.

    Credit may begin after so many hours, or have begun, and end so many hours after that.
    """

    units: int
    begins: int | None = None
    lasts: int | None = None
    priority: int = 50


@dataclass
class VoidCredit:
    """One of the credits by hand is voided."""

    number: int


@dataclass
class VoidEvent:
    """One of the events is voided, counting from the first; counted or not, billed or not."""

    number: int


@dataclass
class Subscribe:
    """The customer subscribes, unless it has; with a trial of so many hours, if any."""

    quantity: int = 1
    trial_hours: int = 0


@dataclass
class Cancel:
    """The subscription ends, if it has not yet: there and then, or with its period."""

    when: CancelWhen
    prorate: bool


@dataclass
class Resume:
    """A cancellation at the period's end is taken back."""


@dataclass
class Change:
    """The subscription changes to a plan and a quantity: there and then, or with its period."""

    plan: int
    quantity: int
    when: CancelWhen


@dataclass
class DropChange:
    """The change that is pending is dropped."""


@dataclass
class Discounted:
    """The subscription gets a discount of a percentage or an amount, or loses the one it has."""

    percent: str | None
    amount: int | None
    periods: int | None


@dataclass
class GiveBenefits:
    """The product gets other benefits."""

    plain: int
    rolling: int
    days: int | None = None
    limit: int | None = None
    priority: int = 50
    per_quantity: bool = False


@dataclass
class Archive:
    """The product is no longer sold, and its meter stops if it may."""


@dataclass
class Unarchive:
    """The meter is taken back; the next `Count` counts what it missed."""


Action = (
    Send
    | Count
    | Wait
    | WaitForEnd
    | Cycle
    | CreditByHand
    | VoidCredit
    | VoidEvent
    | Subscribe
    | Cancel
    | Resume
    | Change
    | DropChange
    | Discounted
    | GiveBenefits
    | Archive
    | Unarchive
)

_models = st.sampled_from(("small", "large", None))
_sending = st.builds(Send, st.integers(0, 24 * 90), st.integers(-5, 20) | st.just("none"), _models)
_crediting = st.builds(CreditByHand, st.integers(-30, 30).filter(bool))
_priorities = st.just(50) | st.integers(48, 52)
_timed = st.builds(
    CreditByHand,
    st.integers(1, 30),
    st.none() | st.integers(-24 * 15, 24 * 40),
    st.none() | st.integers(1, 24 * 50),
    _priorities,
)
_voiding = st.builds(VoidCredit, st.integers(0, 5))
_voiding_events = st.builds(VoidEvent, st.integers(0, 8))
_benefits = st.builds(
    GiveBenefits,
    st.integers(0, 20),
    st.integers(0, 20),
    st.none() | st.integers(1, 50),
    st.none() | st.integers(1, 25),
    _priorities,
    st.booleans(),
)
_changing = st.builds(
    Change, st.integers(0, 1), st.integers(1, 3), st.sampled_from([*CancelWhen, CancelWhen.NOW])
)
_periods = st.none() | st.integers(1, 3)
discounting = (
    st.builds(Discounted, st.sampled_from(("12.5", "33.3", "100")), st.none(), _periods)
    | st.builds(Discounted, st.none(), st.integers(1, 900), _periods)
    | st.just(Discounted(None, None, None))
)
_subscribing = st.builds(Subscribe, st.integers(1, 3), st.just(0) | st.integers(1, 24 * 20))
_before = st.lists(
    st.one_of(
        _sending, _crediting, _timed, _benefits, st.just(Count()), st.builds(Wait, st.just(48))
    ),
    max_size=5,
)
_after = st.lists(
    st.one_of(
        _sending,
        st.builds(Send, st.integers(0, 24 * 20), st.integers(0, 20), _models),
        st.builds(Wait, st.integers(1, 24 * 45)),
        st.just(WaitForEnd()),
        st.just(Count()),
        st.just(Cycle()),
        _crediting,
        _timed,
        _timed,
        _voiding,
        _voiding_events,
        _benefits,
        st.builds(Cancel, st.sampled_from(CancelWhen), st.booleans()),
        st.just(Resume()),
        _changing,
        _changing,
        st.just(DropChange()),
        discounting,
        _subscribing,
        st.just(Archive()),
        st.just(Unarchive()),
    ),
    min_size=3,
    max_size=24,
)
BY_MONTHS: list[Action] = [
    *(Subscribe(), Send(0, 20), Count(), Wait(240), Change(1, 1, CancelWhen.NOW)),
    *(WaitForEnd(), Cycle(), Send(480, 7), Count(), Change(0, 3, CancelWhen.PERIOD_END)),
    *(WaitForEnd(), Cycle()),
]
"""Changes of a plan whose usage is billed by the month, the second one from the next year on."""

actions: st.SearchStrategy[list[Action]] = st.builds(
    lambda before, subscribe, after: [*before, subscribe, *after], _before, _subscribing, _after
)
