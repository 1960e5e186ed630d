"""Customers who have subscribed to a plan with a fixed price, a metered one and credit."""

from datetime import timedelta
from decimal import Decimal

from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from benchmarks.system import System, Tenant
from billing.catalog.benefits import MeterCredit
from billing.catalog.catalog_products import catalog_products
from billing.catalog.new_benefits import create_benefit
from billing.catalog.prices import FixedDraft, MeteredDraft, PriceDraft
from billing.catalog.products import ProductDraft, create_product
from billing.periods.intervals import Period, RecurringInterval
from billing.periods.metered_renewal import renew_periods
from billing.subscriptions.renewal import next_periods
from billing.subscriptions.terms import Terms
from billing.transaction import billing_transaction
from metering.counting.log import advance
from metering.months import make_months
from models import Customer, CustomerSubscription, Product, SubscriptionMeter
from models.identifiers import new_id

_EVENTS_EACH = 10
_CHUNK = 1_000


async def plan(tenant: Tenant) -> Product:
    """A plan on the tenant's first meter."""
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


async def subscribe(
    tenant: Tenant, product: Product, current: Period, count: int
) -> list[CustomerSubscription]:
    """Subscribes new customers, with external ids from customer-0 on: thousands in a second."""
    organization_id = tenant.organization.id
    customers = [
        Customer(id=new_id(), organization_id=organization_id, external_id=f"customer-{number}")
        for number in range(count)
    ]
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
        held = [
            SubscriptionMeter(
                organization_id=organization_id,
                customer_id=one.customer_id,
                meter_id=tenant.meters[0].id,
                subscription_id=one.id,
            )
            for one in subscriptions
        ]
        await SubscriptionMeter.bulk_create(held, batch_size=_CHUNK, using_db=connection)
        products = await catalog_products(connection, organization_id, [product.id])
        terms = Terms(products[product.id], 1, current.start, current, current, current, current)
        steps = [
            step for one in subscriptions for step in next_periods(one.id, one.customer_id, terms)
        ]
        await renew_periods(log, steps)
    return subscriptions


async def use(system: System, tenant: Tenant, current: Period) -> None:
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
    await make_months(current.start + timedelta(days=days) for days in range(0, 31, 10))
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
