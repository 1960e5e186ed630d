"""Subscriptions that are all due at one instant, and what the estimate of one takes."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from benchmarks.results import Result, percentile
from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from billing.catalog.benefits import MeterCredit
from billing.catalog.catalog_products import catalog_products
from billing.catalog.prices import FixedDraft, MeteredDraft, PriceDraft
from billing.catalog.products import ProductDraft, create_benefit, create_product
from billing.invoicing.estimates import upcoming_invoices
from billing.periods.intervals import Period, Recurrence, RecurringInterval, period_at
from billing.periods.metered_renewal import renew_periods
from billing.subscriptions.cycle import run_cycle
from billing.subscriptions.renewal import next_periods
from billing.subscriptions.terms import Terms
from billing.transaction import billing_transaction
from metering.counting.log import advance
from models import Customer, CustomerSubscription, Invoice, Product
from models.identifiers import new_id

NAME = "cycle"
_SUBSCRIPTIONS = 10_000
_EVENTS_EACH = 10
_AIM_SECONDS = 60
_ESTIMATES = 200
_ESTIMATE_AIM = 0.02
_CHUNK = 1_000


async def measure(run: Run) -> list[Result]:
    """Turns every subscription once: closed, carried over, granted, invoiced."""
    count = _SUBSCRIPTIONS // 10 if run.quick else _SUBSCRIPTIONS
    async with running_system(run.folder) as system:
        tenant = await system.new_tenant(meters=1)
        product = await _plan(tenant)
        now = datetime.now(UTC)
        current = period_at(now - timedelta(days=20), Recurrence(RecurringInterval.MONTH), 0)
        subscriptions = await _subscribe(tenant, product, current, count)
        await _use(system, tenant, current)
        estimates = await _estimates(tenant, subscriptions)
        started = time.perf_counter()
        report = await run_cycle(current.end, tenant.organization.id)
        seconds = time.perf_counter() - started
        assert report.renewed == count
        assert await Invoice.filter(organization_id=tenant.organization.id).count() == count
    slow = percentile(estimates, 0.99)
    return [
        Result(
            NAME,
            f"{count:,} subscriptions due at one instant",
            f"{seconds:.1f} s",
            aim=f"< {_AIM_SECONDS} s",
            met=seconds < _AIM_SECONDS,
        ),
        Result(
            NAME,
            "upcomingInvoice, p50 and p99",
            f"{percentile(estimates, 0.5) * 1e3:.1f} ms, {slow * 1e3:.1f} ms",
            aim=f"< {_ESTIMATE_AIM * 1e3:.0f} ms",
            met=slow < _ESTIMATE_AIM,
        ),
    ]


async def _plan(tenant: Tenant) -> Product:
    organization_id, meter = tenant.organization.id, tenant.meters[0]
    benefit = await create_benefit(
        organization_id, "Included", MeterCredit(meter.id, Decimal(500), rollover=True)
    )
    prices: list[PriceDraft] = [
        FixedDraft("USD", 2000),
        MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal("0.4")}),
    ]
    draft = ProductDraft("Plan", None, RecurringInterval.MONTH, prices, [benefit.id])
    return await create_product(organization_id, draft)


async def _subscribe(
    tenant: Tenant, product: Product, current: Period, count: int
) -> list[CustomerSubscription]:
    """As many subscriptions as one mutation each would take a minute to make."""
    organization_id = tenant.organization.id
    customers = [Customer(id=new_id(), organization_id=organization_id) for _ in range(count)]
    subscriptions = [
        CustomerSubscription(
            id=new_id(),
            organization_id=organization_id,
            customer_id=customer.id,
            product_id=product.id,
            status="ACTIVE",
            started_at=current.start,
            anchor_at=current.start,
            period_index=0,
            current_period_start=current.start,
            current_period_end=current.end,
            usage_period_start=current.start,
            usage_period_end=current.end,
            created_at=current.start,
        )
        for customer in customers
    ]
    async with (
        in_transaction() as connection,
        billing_transaction(connection, organization_id, current.start) as log,
    ):
        await Customer.bulk_create(customers, batch_size=_CHUNK, using_db=connection)
        await CustomerSubscription.bulk_create(
            subscriptions, batch_size=_CHUNK, using_db=connection
        )
        products = await catalog_products(connection, organization_id, [product.id])
        terms = Terms(products[product.id], 1, current.start, current, current, current, current)
        steps = [
            step for one in subscriptions for step in next_periods(one.id, one.customer_id, terms)
        ]
        await renew_periods(log, steps)
    return subscriptions


async def _use(system: System, tenant: Tenant, current: Period) -> None:
    """Events of every customer over the period, counted by the log."""
    # The worker would count them, too; so there is one who does.
    system.stop("worker")
    connection = get_connection("default")
    organization_id = tenant.organization.id
    batch = await connection.execute_query_dict(
        """
        INSERT INTO event_batch (organization_id, event_count, names, received_at)
        SELECT $1, count(*) * $2::int, '{ai_usage}', now() FROM customer WHERE organization_id = $1
        RETURNING id
        """,
        [organization_id, _EVENTS_EACH],
    )
    await connection.execute_query(
        """
        INSERT INTO event (organization_id, id, batch_id, customer_id, name, timestamp, metadata)
        SELECT $1, gen_random_uuid(), $2, customer.id, 'ai_usage',
               $3::timestamptz + number * interval '40 hours 13 minutes',
               '{"total_tokens": 123}'
        FROM customer, generate_series(1, $4::int) AS number
        WHERE customer.organization_id = $1
        """,
        [organization_id, batch[0]["id"], current.start, _EVENTS_EACH],
    )
    while await advance(organization_id):
        pass
    await connection.execute_query("ANALYZE")


async def _estimates(tenant: Tenant, subscriptions: list[CustomerSubscription]) -> list[float]:
    taken = []
    for one in subscriptions[:_ESTIMATES]:
        key: UUID = one.id
        started = time.perf_counter()
        found = await upcoming_invoices(tenant.organization.id, [key])
        taken.append(time.perf_counter() - started)
        assert found[key].lines
    return taken
