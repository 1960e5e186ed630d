"""A product on sale has meters that count, whoever archives one at that moment."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog import products
from billing.catalog.product_benefits import check_benefits
from billing.subscriptions.meter_use import meter_in_use
from metering.meters import archive_meter
from metering.problems import RefusedError
from models import Meter
from tests.billing.world import World


async def test_a_meter_is_not_archived_while_a_product_is_made_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = await world.meter()
    archiving: list[asyncio.Task[Meter]] = []

    async def archived_meanwhile(
        connection: BaseDBAsyncClient, organization_id: UUID, benefit_ids: Sequence[UUID | None]
    ) -> Any:
        work = archive_meter(world.id, meter.id, meter_in_use)
        archiving.append(asyncio.create_task(work, context=Context()))
        # Long enough to archive it, were it free; it must wait for the product instead.
        await asyncio.wait(archiving, timeout=0.3)
        return await check_benefits(connection, organization_id, benefit_ids)

    monkeypatch.setattr(products, "check_benefits", archived_meanwhile)
    await world.product(world.per_unit(meter))

    with pytest.raises(RefusedError) as refused:
        await archiving[0]
    assert refused.value.problems[0].code == "IN_USE"
