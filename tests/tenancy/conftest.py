"""Two tenants, and room for operations that select everything."""

import pytest

from config.settings import Settings
from models import Organization
from tests.graphql_client import Api
from tests.tenancy.world import Tenant, settled


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Selecting everything two levels deep, as these tests do, costs more than is allowed."""
    return settings.model_copy(update={"max_query_cost": 200_000})


@pytest.fixture
async def own(api: Api, organization: Organization) -> Tenant:
    return await settled(api, organization, "own")


@pytest.fixture
async def other(other_api: Api, other_organization: Organization) -> Tenant:
    return await settled(other_api, other_organization, "hidden")
