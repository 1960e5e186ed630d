"""The demo's customers: fictional companies of very different sizes, each with its own habits."""

from dataclasses import dataclass
from enum import StrEnum

_GPT = ("gpt-4.1", "gpt-4.1-mini")
_MINI = ("gpt-4.1-mini",)
_CLAUDE = ("claude-sonnet-4", "gpt-4.1-mini")
_LLAMA = ("llama-3.3-70b", "gpt-4.1")

_CALLS = (9, 0, 1)
_VIDEO = (2, 7, 1)
_FILES = (3, 1, 6)
_MIXED = (5, 3, 2)


class Plan(StrEnum):
    """The demo's products, by their names."""

    AI = "AI plan"
    SCALE = "Scale plan"


@dataclass(frozen=True)
class Habits:
    """The habits of a customer.

    `models` are those that it calls, the favourite first; `mix` weighs calls, videos and files;
    `context` multiplies the length of its prompts.
    """

    models: tuple[str, ...]
    mix: tuple[int, int, int] = _CALLS
    context: float = 1.0


@dataclass(frozen=True)
class DemoCustomer:
    """A customer of the demo.

    `activity` is its share of all requests, as many as on a busy weekday. It subscribed to `plan`
    `months` and `days` ago; without a plan, it has tried Metergraph for `days`. `growth` multiplies
    its activity over 90 days. At `evenings`, and on weekends, it is busiest, others are in the
    morning and afternoon. Its habits are those of `lately` since its last period but one.
    """

    external_id: str
    name: str
    activity: int
    habits: Habits
    plan: Plan | None
    months: int
    days: int
    growth: float = 1.0
    evenings: bool = False
    lately: Habits | None = None
    canceled_days_ago: int | None = None

    @property
    def email(self) -> str:
        """Where its invoices would go: a domain that nobody can have (RFC 2606)."""
        return f"billing@{self.external_id}.example"

    @property
    def habits_now(self) -> Habits:
        """Returns the customer's habits today."""
        return self.lately or self.habits


def _ai(
    external_id: str, name: str, activity: int, habits: Habits, months: int, days: int
) -> DemoCustomer:
    return DemoCustomer(external_id, name, activity, habits, Plan.AI, months, days)


CUSTOMERS = (
    DemoCustomer(
        *("acme", "Acme Corporation", 150, Habits(_GPT, (8, 1, 1), 8), Plan.SCALE, 2, 26),
        growth=1.3,
    ),
    DemoCustomer(
        *("globex", "Globex", 80, Habits(_CLAUDE), Plan.AI, 2, 10),
        # Why its last invoice is higher: a larger model, with much longer prompts.
        lately=Habits(("claude-opus-4.1", "claude-sonnet-4"), context=14),
    ),
    DemoCustomer("initech", "Initech", 75, Habits(_MINI, _FILES, 3), Plan.AI, 2, 17),
    DemoCustomer(
        *("hooli", "Hooli", 130, Habits(_LLAMA, _VIDEO, 5), Plan.SCALE, 2, 5),
        growth=1.5,
        evenings=True,
    ),
    DemoCustomer("umbrella", "Umbrella Pharmaceuticals", 60, Habits(_CLAUDE), Plan.AI, 2, 20),
    DemoCustomer(
        *("wonka", "Wonka Confectionery", 40, Habits(_MINI, _VIDEO), Plan.AI, 2, 13),
        growth=0.7,
        evenings=True,
    ),
    DemoCustomer(
        *("cyberdyne", "Cyberdyne Systems", 110, Habits(_LLAMA, context=40), Plan.SCALE, 2, 23),
        growth=1.2,
    ),
    DemoCustomer("tyrell", "Tyrell Corporation", 55, Habits(_CLAUDE, context=4), Plan.SCALE, 2, 8),
    DemoCustomer(
        *("massive-dynamic", "Massive Dynamic", 45, Habits(_GPT, _MIXED, 10), Plan.SCALE, 1, 21),
        growth=1.8,
    ),
    DemoCustomer("aperture", "Aperture Science", 35, Habits(_GPT, _CALLS, 3), Plan.AI, 2, 2),
    DemoCustomer("black-mesa", "Black Mesa", 25, Habits(_LLAMA, _MIXED, 4), Plan.AI, 2, 15),
    DemoCustomer(
        *("oceanic", "Oceanic Airlines", 22, Habits(_MINI, _MIXED, 9), Plan.AI, 2, 11),
        growth=0.5,
    ),
    _ai("dunder-mifflin", "Dunder Mifflin Paper Company", 18, Habits(_MINI, _FILES, 14), 2, 24),
    _ai("nakatomi", "Nakatomi Trading", 16, Habits(_GPT, context=3), 2, 19),
    _ai("nakhla", "شركة النخلة للبرمجيات", 15, Habits(_CLAUDE, context=3), 2, 6),
    _ai("tanaka", "株式会社タナカ分析", 14, Habits(_MINI, context=4), 1, 25),
    _ai("planet-express", "Planet Express", 12, Habits(_GPT, _MIXED, 11), 2, 3),
    _ai("zorg", "Zorg Industries", 11, Habits(_LLAMA, context=5), 1, 18),
    _ai("virtucon", "Virtucon", 10, Habits(_GPT, context=7), 1, 12),
    _ai("omalley", "O'Malley & Daughters", 9, Habits(_MINI, _FILES), 2, 22),
    _ai("akesson", "Åkesson Fjärrvärme AB", 9, Habits(_CLAUDE, _FILES), 1, 9),
    _ai("vandelay", "Vandelay Industries, Import and Export", 8, Habits(_MINI, _FILES), 1, 4),
    DemoCustomer(
        *("gekko", "Gekko & Co.", 8, Habits(_GPT, context=8), Plan.AI, 2, 14),
        canceled_days_ago=27,
    ),
    _ai(
        "sirius",
        "Sirius Cybernetics Corporation, Complaints Division and Department of Genuine People"
        " Personalities",
        7,
        Habits(_LLAMA, context=6),
        1,
        16,
    ),
    DemoCustomer(
        *("bluth", "Bluth Company", 6, Habits(_MINI), Plan.AI, 2, 7),
        growth=0.4,
    ),
    _ai("duff", "Duff Brewing", 6, Habits(_MINI, _VIDEO), 1, 1),
    _ai(
        "grunewald",
        "Grünewald-Südhoff Verwaltungsgesellschaft mbH & Co. KG",
        5,
        Habits(_GPT),
        0,
        27,
    ),
    _ai("los-pollos", "Los Pollos Hermanos", 5, Habits(_MINI), 0, 20),
    _ai("central-perk", "Central Perk", 4, Habits(_MINI), 0, 12),
    DemoCustomer("prestige", "Prestige Worldwide", 5, Habits(_GPT, _VIDEO), None, 0, 24),
    DemoCustomer("paper-street", "Paper Street Soap Company", 4, Habits(_MINI), None, 0, 9),
)
