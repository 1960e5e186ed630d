"""Fixtures of the billing tests."""

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.billing.plans import Plans, two_plans
from tests.billing.world import World


@pytest.fixture
async def world(organization: Organization, database: BaseDBAsyncClient) -> World:
    """An organization to bill in."""
    return World(organization, database)


@pytest.fixture
async def plans(world: World) -> Plans:
    return await two_plans(world)
