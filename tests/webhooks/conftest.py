"""Fixtures of the tests of webhooks."""

from collections.abc import AsyncIterator

import pytest
from arq.connections import ArqRedis
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.world import Hooks, only_ids
from workers.deliver_webhooks import Delivering
from workers.measurements import Measurements


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends as soon as nothing is due."""
    monkeypatch.setattr("webhooks.delivering._LINGER_SECONDS", 0.0)


@pytest.fixture
async def hooks(
    organization: Organization, database: BaseDBAsyncClient, redis: ArqRedis
) -> AsyncIterator[Hooks]:
    """An organization with webhooks. Local addresses are allowed."""
    delivering = Delivering(only_ids, Measurements(redis), allow_insecure=True)
    yield Hooks(organization.id, redis, delivering)
    await delivering.end()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    async with receiving() as running:
        yield running
