"""The demo's AI plan, with subscribers and two billed months.

$20 a month, 1,000,000 tokens included, then $0.40 for each started 100,000.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billing.catalog.benefits import MeterCredit
from billing.catalog.prices import FixedDraft, MeteredDraft
from billing.catalog.products import ProductDraft, create_benefit, create_product
from billing.periods.intervals import RecurringInterval, boundary
from billing.rating.schemes import Pricing
from billing.subscriptions.cycle import run_cycle
from billing.subscriptions.life import create_subscription
from config import clock
from metergraph.demo.events import CUSTOMERS
from metering.counting.log import advance
from metering.ingest.events import EventDraft
from metering.ingest.storing import IngestCall, InvalidEventPolicy, ingest
from models import Customer, Product, exact_json

_MONTHS = 2
_EVENTS_A_DAY = 3
_SUBSCRIBERS = CUSTOMERS[:3]


async def ensure_demo_billing(organization_id: UUID, meter_id: UUID) -> bool:
    """Makes the plan, its subscribers and their history, unless the organization has a product.

    Returns whether it made them.

    Args:
        organization_id: the demo organization.
        meter_id: its meter that counts tokens.
    """
    if await Product.exists(organization_id=organization_id):
        return False
    now = clock.now()
    start = boundary(now - timedelta(days=10), RecurringInterval.MONTH, -_MONTHS)
    with clock.at(start):
        product = await _make_plan(organization_id, meter_id)
        for subscriber in _SUBSCRIBERS:
            customer, _made = await Customer.get_or_create(
                organization_id=organization_id, external_id=subscriber.external_id
            )
            await create_subscription(organization_id, customer.id, product.id)
    events = IngestCall(list(_history(start, now)), InvalidEventPolicy.REJECT_BATCH)
    await ingest(organization_id, [events])
    while await advance(organization_id):
        pass
    for month in range(1, _MONTHS + 1):
        turn = boundary(start, RecurringInterval.MONTH, month)
        with clock.at(turn):
            await run_cycle(turn, organization_id)
    return True


async def _make_plan(organization_id: UUID, meter_id: UUID) -> Product:
    benefit = await create_benefit(
        organization_id,
        "1,000,000 tokens a month",
        MeterCredit(meter_id, Decimal(1_000_000)),
    )
    tokens = MeteredDraft(
        "USD",
        meter_id,
        Pricing.PACKAGE,
        {"package_amount": 40, "package_size": Decimal(100_000)},
    )
    draft = ProductDraft(
        name="AI plan",
        description="$20 a month, 1,000,000 tokens included, then $0.40 per 100,000",
        recurring_interval=RecurringInterval.MONTH,
        prices=[FixedDraft("USD", 2000), tokens],
        benefit_ids=[benefit.id],
    )
    return await create_product(organization_id, draft)


def _history(start: datetime, end: datetime) -> Iterator[EventDraft]:
    """Calls of language models from `start` to `end`, the busier subscribers' larger."""
    chance = random.Random(7)  # noqa: S311  # a demonstration, not a secret
    step = timedelta(days=1) / _EVENTS_A_DAY
    for subscriber in _SUBSCRIBERS:
        at = start + step * chance.random()
        while at < end:
            tokens = int(subscriber.activity * 600 * chance.lognormvariate(0, 0.6))
            yield EventDraft(
                name="ai_usage",
                customer_id=None,
                external_customer_id=subscriber.external_id,
                external_id=f"demo-history-{subscriber.external_id}-{at.isoformat()}",
                timestamp=at,
                metadata=exact_json.dumps({"model": subscriber.models[0], "total_tokens": tokens}),
            )
            at += step * (0.5 + chance.random())
