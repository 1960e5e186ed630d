"""A worker archives what is older than a setting says, once a day, and only with a directory."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from metering.archive.fencing import only_one
from models import Event, Organization
from tests.ingesting import drain, send
from workers.archive_events import Retention
from workers.daily import Daily

JANUARY = datetime(2026, 1, 15, tzinfo=UTC)
NOW = datetime(2026, 4, 3, 2, tzinfo=UTC)


@pytest.fixture
async def stored(fresh_database: BaseDBAsyncClient, organization: Organization) -> None:
    """An event in each of the first three months of the year."""
    for month in (1, 2, 3):
        await send(organization.id, {"timestamp": JANUARY.replace(month=month)})
    await drain(organization.id)


async def run(retention: Daily, at: datetime = NOW) -> tuple[list[str], list[str]]:
    """Runs it at an instant; returns the months that it archived, and its complaints."""
    with capture_logs() as logs, clock.at(at):
        await retention.run()
    return (
        [log["month"] for log in logs if log["event"] == "month archived"],
        [log["reason"] for log in logs if log["event"] == "events are not archived"],
    )


@pytest.mark.usefixtures("stored")
async def test_it_archives_older_months_once_a_day(tmp_path: Path) -> None:
    retention = Daily(Retention(2, tmp_path).run)
    assert await run(retention) == (["2026-01"], [])
    assert await run(retention, NOW + timedelta(hours=23)) == ([], [])
    assert await run(retention, NOW + timedelta(days=28)) == (["2026-02"], [])
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["2026-01", "2026-02"]
    assert await Event.all().count() == 1


@pytest.mark.usefixtures("stored")
async def test_it_deletes_nothing_without_a_directory(tmp_path: Path) -> None:
    assert await run(Daily(Retention(1, None).run)) == (
        [],
        ["METERGRAPH_ARCHIVE_DIRECTORY is not set."],
    )
    missing = tmp_path / "not-mounted"
    retention = Daily(Retention(1, missing).run)
    assert await run(retention) == ([], [f"There is no directory {missing}."])
    assert await Event.all().count() == 3
    missing.mkdir()
    assert await run(retention, NOW + timedelta(days=1)) == (["2026-01", "2026-02"], [])


@pytest.mark.usefixtures("stored")
async def test_it_says_why_a_month_waits(organization: Organization, tmp_path: Path) -> None:
    await send(organization.id, {"timestamp": JANUARY})
    months, [reason] = await run(Daily(Retention(1, tmp_path).run))
    assert (months, organization.slug in reason) == ([], True)


@pytest.mark.usefixtures("stored")
async def test_it_comes_back_soon_if_another_one_is_archiving(tmp_path: Path) -> None:
    retention = Daily(Retention(1, tmp_path).run)
    async with only_one():
        assert await run(retention) == ([], [])
    assert await run(retention, NOW + timedelta(hours=1)) == (["2026-01", "2026-02"], [])


def test_it_keeps_whole_months() -> None:
    with clock.at(NOW):
        assert Retention(3, None).before() == datetime(2026, 1, 1, tzinfo=UTC)
        assert Retention(4, None).before() == datetime(2025, 12, 1, tzinfo=UTC)
        assert Retention(100_000, None).before().year == 1
