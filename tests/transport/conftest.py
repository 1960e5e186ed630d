"""Browsers and what they sign in with; patience with a Redis on a busy machine."""

import httpx
import pytest

from models import Organization
from tests.browser import OWN, Browser, opened
from tests.graphql_client import Api
from tests.ingesting import send
from tests.serving import new_token
from transport import persisted_queries, rate_limits


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is there is not taken for one that is away, however busy the machine is."""
    for module in (persisted_queries, rate_limits):
        monkeypatch.setattr(module, "SECONDS_FOR_REDIS", 60.0)


@pytest.fixture
def browser(http: httpx.AsyncClient) -> Browser:
    return Browser(http, OWN)


@pytest.fixture
async def token(organization: Organization) -> str:
    return await new_token(organization)


@pytest.fixture
async def link(api: Api, organization: Organization) -> str:
    """The token of a portal's link."""
    await send(organization.id, {"externalCustomerId": "c1"}, {"externalCustomerId": "c2"})
    token: str = (await opened(api))["token"]
    return token
