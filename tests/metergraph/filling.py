"""The demo organization before and after it is filled."""

from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient

from metergraph.demo.organization import SLUG, ensure_demo_organization
from models import (
    Organization,
)
from tests.billing.world import World


async def empty_demo(database: BaseDBAsyncClient, tmp_path: Path) -> World:
    """The demo organization as `metergraph dev` makes it."""
    await ensure_demo_organization(tmp_path)
    return World(await Organization.get(slug=SLUG), database)


async def counts(demo: World) -> dict[str, int]:
    tables = ("customer", "event", "product", "benefit", "customer_subscription", "invoice")
    rows = {
        table: await demo.query(f"SELECT count(*) FROM {table} WHERE organization_id = $1")
        for table in tables
    }
    return {table: int(found[0]["count"]) for table, found in rows.items()}
