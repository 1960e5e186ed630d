"""An organization that somebody uses is not filled with the demo's data."""

from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph.demo.filling import fill
from metergraph.demo.organization import is_untouched
from models import (
    Meter,
)
from tests.billing.world import World
from tests.ingesting import NOON, send
from tests.metergraph.filling import counts, empty_demo


@pytest.fixture
async def demo(fresh_database: BaseDBAsyncClient, tmp_path: Path) -> World:
    return await empty_demo(fresh_database, tmp_path)


async def test_an_organization_with_a_product_is_left_alone(
    demo: World, settings: Settings
) -> None:
    [meter, *_] = await Meter.filter(organization_id=demo.id).order_by("id")
    await demo.product(demo.per_unit(meter))
    before = await counts(demo)
    assert await fill(settings, demo.organization) is None
    assert await counts(demo) == before
    assert not await is_untouched(demo.id)


async def test_an_organization_without_the_demos_meters_is_left_alone(
    demo: World, settings: Settings
) -> None:
    await Meter.filter(organization_id=demo.id, name="File upload").update(name="Mine")
    assert await fill(settings, demo.organization) is None
    assert (await counts(demo))["customer"] == 0


@pytest.mark.parametrize("external_id", [None, "mine"])
async def test_an_organization_with_data_of_its_own_is_not_filled_unasked(
    demo: World, external_id: str | None
) -> None:
    assert await is_untouched(demo.id)
    await send(
        demo.id, {"externalCustomerId": "acme", "externalId": external_id, "timestamp": NOON}
    )
    assert not await is_untouched(demo.id)
    await demo.query("DELETE FROM event WHERE organization_id = $1 RETURNING 1")
    assert await is_untouched(demo.id)
    await demo.customer("mine")
    assert not await is_untouched(demo.id)
