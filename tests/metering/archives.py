"""Archives and restores in this process, and a meter to archive the events of."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.archiving import archive_months
from metering.archive.restoring import restore_months
from models import Event, Meter, Organization
from tests.ingesting import catch_up_all, drain, meter_of, send

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


async def archive(folder: Path, before: datetime = FEBRUARY) -> list[str]:
    """Archives, and returns the names of the months."""
    return [done.month async for done in archive_months(before, folder)]


async def restore(folder: Path, month: str | None = None) -> list[str]:
    """Restores, and returns the names of the months."""
    return [done.month async for done in restore_months(folder, month)]


@pytest.fixture
async def meter(fresh_database: BaseDBAsyncClient, organization: Organization) -> Meter:
    """A meter that has counted January and February."""
    meter = await meter_of(organization.id)
    for start in (JANUARY, FEBRUARY):
        events = [
            {"timestamp": start.replace(day=day), "metadata": {"tokens": day}, "externalId": None}
            for day in range(1, 11)
        ]
        await send(organization.id, *events)
    await drain(organization.id)
    await catch_up_all(organization.id)
    return meter


async def stored(organization: Organization) -> list[dict[str, Any]]:
    return list(await Event.filter(organization_id=organization.id).order_by("id").values())
