"""Prices and benefits that had a column for each parameter keep their values."""

from decimal import Decimal
from importlib import import_module
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.benefits import MeterCredit, stored_benefit
from billing.catalog.prices import MeteredDraft, stored_tariff
from billing.rating.schemes import Pricing, Tier
from models import Benefit, Organization, ProductPrice
from tests.billing.world import World

TIERS = (Tier(Decimal("10.50"), Decimal("0.1"), 7), Tier(None, Decimal(0)))
SCHEMES: list[tuple[Pricing, dict[str, Any]]] = [
    (Pricing.PER_UNIT, {"unit_amount": Decimal("0.000000000001")}),
    (Pricing.GRADUATED, {"tiers": TIERS}),
    (Pricing.VOLUME, {"tiers": TIERS}),
    (Pricing.PACKAGE, {"package_amount": 10**15, "package_size": Decimal("2.50")}),
]


async def test_a_price_keeps_its_parameters(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    drafts = [
        MeteredDraft("USD", (await world.meter()).id, pricing, parameters)
        for pricing, parameters in SCHEMES
    ]
    await world.product(world.fixed(), *drafts)
    before = await ProductPrice.all().order_by("ordinal").values("kind", "parameters")
    # As the version before stored them.
    await fresh_database.execute_script(
        """
        ALTER TABLE product_price ADD unit_amount numeric, ADD tiers jsonb,
            ADD package_amount bigint, ADD package_size numeric;
        UPDATE product_price
        SET unit_amount = (parameters->>'unitAmount')::numeric, tiers = parameters->'tiers',
            package_amount = (parameters->>'packageAmount')::bigint,
            package_size = (parameters->>'packageSize')::numeric, parameters = NULL;
        """
    )
    migration: Any = import_module("models.migrations.0017_price_parameters").Migration

    for statement in migration.operations[1].sql:
        await fresh_database.execute_script(statement)

    assert await ProductPrice.all().order_by("ordinal").values("kind", "parameters") == before
    rows = await ProductPrice.filter(kind="METERED").order_by("ordinal")
    schemes = [stored_tariff(row).scheme for row in rows]
    assert schemes == [draft.tariff().scheme for draft in drafts]


async def test_a_benefit_keeps_its_units(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    world = World(organization, fresh_database)
    meter = await world.meter()
    for units, rollover in (("0.000000000001", True), ("1000000.50", False)):
        await world.benefit(meter, units, rollover=rollover)
    before = await Benefit.all().order_by("id").values()
    # As the version before stored them.
    await fresh_database.execute_script(
        """
        CREATE TABLE meter_credit_benefit AS
        SELECT organization_id, id, description, meter_id, created_at,
               (parameters->>'units')::numeric AS units,
               (parameters->'rollover')::boolean AS rollover
        FROM benefit;
        DELETE FROM benefit;
        """
    )
    migration: Any = import_module("models.migrations.0020_benefit_kinds").Migration

    await fresh_database.execute_script(migration.operations[1].sql[1])

    assert await Benefit.all().order_by("id").values() == before
    rows = await Benefit.all().order_by("id")
    assert [stored_benefit(row.kind, row.meter_id, row.parameters) for row in rows] == [
        MeterCredit(meter.id, Decimal("0.000000000001"), rollover=True),
        MeterCredit(meter.id, Decimal("1000000.50")),
    ]
