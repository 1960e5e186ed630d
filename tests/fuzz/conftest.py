"""A tenant with something of everything."""

import pytest

from models import Organization
from tests.graphql_client import Api
from tests.tenancy.world import Tenant, settled


@pytest.fixture
async def tenant(api: Api, organization: Organization) -> Tenant:
    return await settled(api, organization, "own")
