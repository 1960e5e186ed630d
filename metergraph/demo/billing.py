"""The demo's two plans, and what its customers did with them: as it would have been billed then."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from billing.alerts.life import AlertDraft, create_alert
from billing.catalog.benefits import MeterCredit
from billing.catalog.new_benefits import create_benefit
from billing.catalog.prices import FixedDraft, MeteredDraft
from billing.catalog.products import ProductDraft, create_product
from billing.periods.intervals import RecurringInterval
from billing.rating.dimension_rates import DimensionRate
from billing.rating.discounts import Discount
from billing.rating.schemes import Pricing, Tier
from billing.subscriptions.changes import SubscriptionChange, change_subscription
from billing.subscriptions.cycle import run_cycle
from billing.subscriptions.discounts import set_discount
from billing.subscriptions.life import (
    CancelWhen,
    SubscriptionDraft,
    cancel_subscription,
    create_subscription,
)
from billing.subscriptions.manual_credit import CreditDraft, credit_by_hand
from config import clock
from metergraph.demo.customers import CUSTOMERS, Plan
from metergraph.demo.history import late_events, life_of, mistaken_events
from metergraph.demo.organization import AI_USAGE, STORAGE, VIDEO_STREAMING
from metergraph.demo.payments import PAYS_LATE, pay_invoices, set_terms, steps_of
from metering.alerts.kinds import UsageAlertKind
from metering.counting.log import advance
from metering.ingest.events import EventDraft
from metering.ingest.storing import IngestCall, InvalidEventPolicy, ingest
from metering.usage.grouping import DimensionValue
from metering.voiding.voids import void_events
from models import Customer, CustomerSubscription, Product

SENDS_LATE = "acme"
CREDITED = "umbrella"
LEAVES = "oceanic"
UPGRADES = "zorg"
DISCOUNTED = "nakatomi"
TRIES = "prestige"
SENDS_MISTAKES = "hooli"
VOID_REASON = "A load test wrote to production."

# Cents for a token of each model: input, input that the model has cached, and output.
TOKEN_PRICES = {
    "gpt-4.1": ("0.0002", "0.00005", "0.0008"),
    "gpt-4.1-mini": ("0.00004", "0.00001", "0.00016"),
    "claude-sonnet-4": ("0.0003", "0.00003", "0.0015"),
    "claude-opus-4.1": ("0.0015", "0.00015", "0.0075"),
}
OTHER_TOKENS = Decimal("0.0001")
STORAGE_PRICE = Decimal("0.003")
TOKEN_KINDS = ("input", "cached_input", "output")
DISCOUNT_PERCENT = Decimal(20)
PROMOTION = "Promotion: try Claude Opus"
PROMOTION_UNITS = Decimal(3_000_000)

_CREDIT = Decimal(2_000_000)
_CREDITED_BEFORE = timedelta(days=12)
_PROMOTED_BEFORE = timedelta(days=5)
_PROMOTION_ENDS_IN = timedelta(days=9)
_PROMOTION_PRIORITY = 10
_LEAVES_BEFORE = timedelta(days=2)
_UPGRADES_BEFORE = timedelta(days=9)
_TRIES_BEFORE = timedelta(days=6)
_TRIAL_DAYS = 14
_LATE_BY = timedelta(days=2)

Step = tuple[datetime, Callable[[], Awaitable[Any]]]


def rates() -> tuple[DimensionRate, ...]:
    """The AI plan's rates, a rate for each model and kind of token."""
    return tuple(
        DimensionRate(
            (DimensionValue("model", model), DimensionValue("kind", kind)), Decimal(amount)
        )
        for model, amounts in TOKEN_PRICES.items()
        for kind, amount in zip(TOKEN_KINDS, amounts, strict=True)
    )


class DemoBilling:
    """Sells the plans to the customers in the order in which it happened, up to `now`.

    Args:
        organization_id: the demo organization, whose customers and events are stored.
        meters: the ids of its meters, by name.
        now: the end of the history.
        zone: the organization's.
        seed: that of the history.
    """

    def __init__(
        self,
        organization_id: UUID,
        meters: dict[str, UUID],
        now: datetime,
        zone: ZoneInfo,
        seed: int,
    ) -> None:
        self._organization_id = organization_id
        self._meters = meters
        self._now = now
        self._zone = zone
        self._seed = seed
        self._customers: dict[str, UUID] = {}
        self._products: dict[Plan, Product] = {}
        self._subscriptions: dict[str, CustomerSubscription] = {}

    async def make(self) -> None:
        """Makes it all. In one transaction of the caller, who holds the log."""
        rows = await Customer.filter(organization_id=self._organization_id)
        self._customers = {str(row.external_id): row.id for row in rows}
        await set_terms(self._organization_id)
        steps = self._steps()
        with clock.at(steps[0][0]):
            self._products = {Plan.AI: await self._ai_plan(), Plan.SCALE: await self._scale_plan()}
        for at, step in steps:
            with clock.at(at):
                await step()
        await run_cycle(self._now, self._organization_id)
        await pay_invoices(self._organization_id, self._customers[PAYS_LATE], self._now)
        await self._watch()

    async def _watch(self) -> None:
        """Makes alerts. The first triggers at once for customers who have used much."""
        tokens = self._meters[AI_USAGE]
        for name, kind, threshold, meter_id in (
            ("100,000 tokens in a period", UsageAlertKind.CONSUMED_UNITS, 100_000, tokens),
            ("Most of the credit is used", UsageAlertKind.CREDIT_USED_PERCENT, 80, tokens),
            ("Charges above $500", UsageAlertKind.ESTIMATED_AMOUNT, 50_000, None),
        ):
            currency = "USD" if kind is UsageAlertKind.ESTIMATED_AMOUNT else None
            draft = AlertDraft(name, kind, Decimal(threshold), meter_id, None, currency)
            await create_alert(self._organization_id, draft)

    def _steps(self) -> list[Step]:
        trial = partial(self._subscribe, TRIES, Plan.AI, _TRIAL_DAYS)
        steps: list[Step] = [(self._now - _TRIES_BEFORE, trial)]
        for customer in CUSTOMERS:
            life, name = life_of(customer, self._now, self._zone), customer.external_id
            if customer.plan is None or life.subscribed_at is None:
                continue
            steps.append((life.subscribed_at, partial(self._subscribe, name, customer.plan)))
            steps += [
                (turn, partial(run_cycle, turn, self._organization_id)) for turn in life.turns
            ]
            if life.canceled_at is not None:
                steps.append((life.canceled_at, partial(self._cancel, name, CancelWhen.NOW)))
            if name == LEAVES:
                at = self._now - _LEAVES_BEFORE
                steps.append((at, partial(self._cancel, name, CancelWhen.PERIOD_END)))
            if name == UPGRADES:
                steps.append((self._now - _UPGRADES_BEFORE, partial(self._upgrade, name)))
            if name == DISCOUNTED:
                steps.append((life.subscribed_at, partial(self._discount, name)))
            if name == CREDITED:
                steps.append((self._now - _CREDITED_BEFORE, partial(self._credit, name)))
                steps.append((self._now - _PROMOTED_BEFORE, partial(self._promote, name)))
            steps += steps_of(self._organization_id, name, self._customers[name], life.turns)
            if name == SENDS_MISTAKES:
                mistakes = mistaken_events(customer, self._now, self._seed)
                steps.append((self._now, partial(self._send_and_void, mistakes)))
            if name == SENDS_LATE:
                [turn, *_] = life.turns
                late = late_events(customer, turn, self._now, self._zone, self._seed)
                steps.append((turn + _LATE_BY, partial(self._send, late)))
        return sorted(steps, key=lambda step: step[0])

    async def _subscribe(self, customer: str, plan: Plan, trial_days: int | None = None) -> None:
        draft = SubscriptionDraft(
            self._customers[customer], self._products[plan].id, trial_days=trial_days
        )
        self._subscriptions[customer] = await create_subscription(self._organization_id, draft)

    async def _upgrade(self, customer: str) -> None:
        change = SubscriptionChange(self._products[Plan.SCALE].id)
        await change_subscription(self._organization_id, self._subscriptions[customer].id, change)

    async def _discount(self, customer: str) -> None:
        subscription = self._subscriptions[customer]
        discount = Discount(percent=DISCOUNT_PERCENT)
        await set_discount(self._organization_id, subscription.id, discount, periods=None)

    async def _cancel(self, customer: str, when: CancelWhen) -> None:
        await cancel_subscription(self._organization_id, self._subscriptions[customer].id, when)

    async def _credit(self, customer: str) -> None:
        await credit_by_hand(
            *(self._organization_id, self._customers[customer], self._meters[AI_USAGE]),
            CreditDraft(_CREDIT, "Compensation for slow answers on Tuesday"),
        )

    async def _promote(self, customer: str) -> None:
        ends = self._now + _PROMOTION_ENDS_IN
        await credit_by_hand(
            *(self._organization_id, self._customers[customer], self._meters[AI_USAGE]),
            CreditDraft(PROMOTION_UNITS, PROMOTION, expires_at=ends, priority=_PROMOTION_PRIORITY),
        )

    async def _send(self, events: list[EventDraft]) -> None:
        await ingest(self._organization_id, [IngestCall(events, InvalidEventPolicy.REJECT_BATCH)])
        while await advance(self._organization_id):
            pass

    async def _send_and_void(self, events: list[EventDraft]) -> None:
        await self._send(events)
        ids = {event.external_id for event in events if event.external_id is not None}
        await void_events(self._organization_id, [], ids, VOID_REASON)

    async def _ai_plan(self) -> Product:
        return await self._product(
            Plan.AI,
            "$20 a month, 1,000,000 tokens included, then by model and kind of token",
            [
                FixedDraft("USD", 2000),
                MeteredDraft(
                    "USD",
                    self._meters[AI_USAGE],
                    Pricing.PER_UNIT,
                    {"unit_amount": OTHER_TOKENS, "rates": rates()},
                ),
            ],
            await self._tokens("1,000,000 tokens a month", 1_000_000, rollover=False),
        )

    async def _scale_plan(self) -> Product:
        tiers = (
            Tier(Decimal(50_000_000), Decimal("0.0003")),
            Tier(Decimal(200_000_000), Decimal("0.00025")),
            Tier(None, Decimal("0.0002")),
        )
        return await self._product(
            Plan.SCALE,
            "$499 a month, 20,000,000 tokens included that roll over, then from $3.00 down to"
            " $2.00 per 1,000,000 and at most $250; video at $0.01 per minute, at least $5;"
            " storage at $0.00003 per gigabyte-hour, about 2 cents per gigabyte and month",
            [
                FixedDraft("USD", 49_900),
                MeteredDraft(
                    "USD", self._meters[AI_USAGE], Pricing.GRADUATED, {"tiers": tiers}, 25_000
                ),
                MeteredDraft(
                    "USD",
                    self._meters[VIDEO_STREAMING],
                    Pricing.PACKAGE,
                    {"package_amount": 1, "package_size": Decimal(60)},
                    minimum_amount=500,
                ),
                MeteredDraft(
                    "USD",
                    self._meters[STORAGE],
                    Pricing.PER_UNIT,
                    {"unit_amount": STORAGE_PRICE},
                ),
            ],
            await self._tokens(
                "20,000,000 tokens a month, which roll over", 20_000_000, rollover=True
            ),
        )

    async def _tokens(self, description: str, units: int, *, rollover: bool) -> UUID:
        credit = MeterCredit(self._meters[AI_USAGE], Decimal(units), rollover)
        return (await create_benefit(self._organization_id, description, credit)).id

    async def _product(
        self,
        name: Plan,
        description: str,
        prices: list[FixedDraft | MeteredDraft],
        benefit_id: UUID,
    ) -> Product:
        draft = ProductDraft(name.value, description, RecurringInterval.MONTH, prices, [benefit_id])
        return await create_product(self._organization_id, draft)
