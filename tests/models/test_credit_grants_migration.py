"""Credit from before grants is grants afterwards, and late usage burns it as before."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from models import CreditGrant, Organization
from tests.billing.world import World

# As the version before stored it.
BEFORE = """
ALTER TABLE metered_period
    ADD plain numeric, ADD rolling numeric, ADD granted_plain numeric, ADD granted_rolling numeric,
    ADD revocable_plain numeric, ADD revocable_rolling numeric;
UPDATE metered_period SET
    plain = (SELECT coalesce(sum(brought - revoked - taken), 0) FROM held
             WHERE held.period_id = id AND NOT held.is_rolling),
    rolling = (SELECT coalesce(sum(brought - revoked - taken), 0) FROM held
               WHERE held.period_id = id AND held.is_rolling);
UPDATE metered_period SET
    granted_plain = (SELECT coalesce(sum(brought), 0) FROM held
                     WHERE held.period_id = id AND held.is_new AND NOT held.is_rolling),
    revocable_plain = (SELECT coalesce(sum(revocable), 0) FROM held
                       WHERE held.period_id = id AND held.is_new AND NOT held.is_rolling),
    granted_rolling = (SELECT coalesce(sum(brought), 0) FROM held
                       WHERE held.period_id = id AND held.is_new AND held.is_rolling),
    revocable_rolling = (SELECT coalesce(sum(revocable), 0) FROM held
                         WHERE held.period_id = id AND held.is_new AND held.is_rolling)
WHERE is_cut;
DROP TABLE held;
DELETE FROM credit_grant;
DELETE FROM credit_holding;
UPDATE credit_entry SET credit_grant_id = NULL;
"""
HELD = """
CREATE TABLE held AS
SELECT holding.metered_period_id AS period_id, holding.brought, holding.revoked, holding.taken,
       holding.revocable, granted.is_rolling,
       granted.benefit_id IS NOT NULL AND granted.metered_period_id = holding.metered_period_id
           AS is_new
FROM credit_holding holding JOIN credit_grant granted ON granted.id = holding.credit_grant_id
"""
SUMS = """
SELECT holding.metered_period_id, granted.is_rolling, granted.reason,
       granted.benefit_id, sum(holding.brought) AS brought, sum(holding.revoked) AS revoked,
       sum(holding.taken) AS taken, sum(holding.revocable) AS revocable,
       sum(holding.burned) AS burned
FROM credit_holding holding JOIN credit_grant granted ON granted.id = holding.credit_grant_id
WHERE holding.organization_id = $1
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3 NULLS FIRST, 4
"""


async def test_grants_are_made_of_the_ledger(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    customer, meter = await world.customer(), await world.meter()
    benefits = [
        await world.benefit(meter, 100),
        await world.benefit(meter, 60, rollover=True),
    ]
    product = await world.product(world.fixed(0), world.per_unit(meter), benefits=benefits)
    other = await world.product(world.fixed(0), world.per_unit(meter), benefits=[benefits[0]])
    await world.credit(customer, meter, 7, "2025-12-01")
    subscription = await world.subscribe(customer, product, "2026-01-01")
    await world.credit(customer, meter, 20, "2026-01-03")
    await world.credit(customer, meter, -5, "2026-01-04")
    await world.use(customer, ("2026-01-05", 120))
    await world.cycle("2026-02-01")
    await world.use(customer, ("2026-02-02", 50))
    await world.change(subscription, "2026-02-15", other)
    await world.use(customer, ("2026-02-20", 10))
    before = await world.query(SUMS)
    balance = await world.balance(customer, meter)
    ledger = await world.ledger(customer, meter)
    assert len(before) > 8
    await fresh_database.execute_script(HELD)
    await fresh_database.execute_script(BEFORE)

    migration: Any = import_module("models.migrations.0066_credit_grants")
    await migration.make_grants(None, SimpleNamespace(client=fresh_database))

    assert await world.query(SUMS) == before
    assert await CreditGrant.filter(reason="goodwill").count() == 2
    await world.cycle("2026-02-21")
    assert (await world.balance(customer, meter), await world.ledger(customer, meter)) == (
        balance,
        ledger,
    )
    # 62 units were left at the end of January: 8 of these are billed.
    await world.use(customer, ("2026-01-06", 70), ("2026-02-03", 6))
    await world.cycle("2026-02-22")
    entries = await world.ledger(customer, meter)
    _used, credited = await world.balance(customer, meter)
    assert credited == sum(units for _kind, units in entries)
    lines = await world.invoices()
    await world.cycle("2026-03-01")
    corrections = (await world.invoices())[-1]
    assert len(lines) + 1 == len(await world.invoices())
    assert (corrections.kinds, corrections.amounts) == (
        ["METERED", "CORRECTION", "CORRECTION", "FIXED"],
        [0, 8, 0, 0],
    )
