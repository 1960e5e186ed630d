"""What can still be asked, stored and counted once events are archived, and what says it cannot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.audit.rounds import audit_step, audits_due
from metering.export.events import EventsMissingError, read_log
from metering.ingest.storing import ReceiptStatus
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.live.change_feed import CursorLostError
from metering.live.timelines import check_events_follow
from metering.meters import MeterChanges, archive_meter, unarchive_meter, update_meter
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.preview import Preview, PreviewSelection, preview
from metering.usage.preview_series import Previewed, preview_series
from metering.usage.ranges import usage
from metering.usage.top_customers import top_customers
from metering.usage.windows import EventsArchivedError, Interval, Window, zone_of
from models import CustomerMeter, Meter, Organization, UsageDrift
from tests.ingesting import catch_up_all, definition_of, drain, meter_of, send
from tests.metering.archives import FEBRUARY, JANUARY, MARCH, archive, restore

SUM = Aggregation(AggregationFunction.SUM, "tokens")
_MOMENT = timedelta(microseconds=1)


async def nobody(*_ids: object) -> None:
    """No reason to keep a meter."""


async def used(organization: Organization, folder: Path) -> Meter:
    """A meter with dimensions that has counted 1 in January and 10 in February; January is gone."""
    meter = await meter_of(organization.id)
    await update_meter(organization.id, meter.id, MeterChanges(dimensions=("model",)))
    for start, tokens in ((JANUARY, 1), (FEBRUARY, 10)):
        at = start + timedelta(days=3, minutes=7)
        metadata = {"tokens": tokens, "model": "m"}
        event = {"timestamp": at, "metadata": metadata, "externalId": f"{tokens}"}
        [receipt] = await send(organization.id, event)
        assert receipt.status is ReceiptStatus.INSERTED
    await drain(organization.id)
    await catch_up_all(organization.id)
    assert await archive(folder) == ["2026-01"]
    return meter


@pytest.fixture
async def meter(
    fresh_database: BaseDBAsyncClient, organization: Organization, tmp_path: Path
) -> Meter:
    return await used(organization, tmp_path)


async def test_ranges_with_archived_edges_are_refused(
    fresh_database: BaseDBAsyncClient, meter: Meter
) -> None:
    found = await definition_of(meter)
    whole = Window(JANUARY, MARCH)
    quarter = Window(JANUARY + timedelta(days=3), JANUARY + timedelta(days=3, minutes=15))
    inside = Window(JANUARY + timedelta(days=3, minutes=5), MARCH)
    assert (await usage(fresh_database, found, [whole])).total.quantity == 11
    assert (await usage(fresh_database, found, [quarter])).total.quantity == 1
    assert len(await top_customers(fresh_database, found, whole, 5)) == 1
    by_model = Grouping(by=("model",))
    assert (
        await grouped_usage(fresh_database, found, [whole], by_model)
    ).usage.total.quantity == 11
    for window in (inside, Window(JANUARY, FEBRUARY - _MOMENT)):
        with pytest.raises(EventsArchivedError, match=r"2026-02-01T00:00:00Z .* quarter hours"):
            await usage(fresh_database, found, [window])
        with pytest.raises(EventsArchivedError):
            await top_customers(fresh_database, found, window, 5)
    with pytest.raises(EventsArchivedError, match="whole hours"):
        await grouped_usage(fresh_database, found, [quarter], by_model)
    after = Window(FEBRUARY + _MOMENT, MARCH - _MOMENT)
    assert (await usage(fresh_database, found, [after])).total.quantity == 10


async def test_a_range_that_ends_in_archived_time_names_it(
    fresh_database: BaseDBAsyncClient, meter: Meter
) -> None:
    """Also the end of an interval inside of the range."""
    found = await definition_of(meter)
    middle = JANUARY + timedelta(days=3, minutes=8)
    with pytest.raises(EventsArchivedError):
        await usage(fresh_database, found, [Window(JANUARY, middle), Window(middle, MARCH)])


async def test_previews_read_what_is_stored_and_say_so(
    organization: Organization, meter: Meter
) -> None:
    found = await preview(organization.id, Filter(), SUM, PreviewSelection())
    assert found == Preview(1, 0, Decimal(10), FEBRUARY)
    found = await preview(organization.id, Filter(), SUM, PreviewSelection(start=FEBRUARY))
    assert found == Preview(1, 0, Decimal(10))
    with pytest.raises(EventsArchivedError, match="Leave out `start`"):
        await preview(organization.id, Filter(), SUM, PreviewSelection(start=JANUARY))
    asked = Previewed(Filter(), SUM, PreviewSelection(end=MARCH))
    points, series = await preview_series(organization.id, asked, Interval.DAY, zone_of("UTC"))
    assert points[0].start == FEBRUARY + timedelta(days=3, minutes=7)
    assert series.total.quantity == 10
    early = replace(asked, selection=PreviewSelection(start=JANUARY, end=MARCH))
    with pytest.raises(EventsArchivedError):
        await preview_series(organization.id, early, Interval.DAY, zone_of("UTC"))


async def test_events_before_the_boundary_are_refused_unless_they_are_known(
    organization: Organization, meter: Meter
) -> None:
    at = JANUARY + timedelta(days=3, minutes=7)
    metadata = {"tokens": 1, "model": "m"}
    again = {"timestamp": at, "metadata": metadata, "externalId": "1"}
    [new] = await send(organization.id, {"timestamp": FEBRUARY - _MOMENT, "externalId": "new"})
    assert new.status is ReceiptStatus.REJECTED
    assert new.error is not None
    assert (new.error.code, new.error.path) == ("EVENTS_ARCHIVED", ("timestamp",))
    assert "2026-02-01T00:00:00Z" in new.error.message
    [stored] = await send(organization.id, {"timestamp": FEBRUARY, "externalId": "new"})
    assert stored.status is ReceiptStatus.INSERTED
    for event, status in (
        (again, ReceiptStatus.DUPLICATE),
        # Its metadata cannot be compared any more.
        ({**again, "metadata": {"tokens": 2}}, ReceiptStatus.DUPLICATE),
        ({**again, "timestamp": at + _MOMENT}, ReceiptStatus.CONFLICT),
        ({**again, "timestamp": FEBRUARY}, ReceiptStatus.CONFLICT),
        ({"timestamp": datetime(1999, 1, 1, tzinfo=UTC)}, ReceiptStatus.REJECTED),
    ):
        [receipt] = await send(organization.id, event)
        assert receipt.status is status, event
    refused = {"timestamp": JANUARY}
    receipts = await send(organization.id, again, refused, {"timestamp": MARCH})
    assert [receipt.status for receipt in receipts] == [
        ReceiptStatus.SKIPPED,
        ReceiptStatus.REJECTED,
        ReceiptStatus.SKIPPED,
    ]


async def test_meters_made_later_count_from_the_boundary_and_say_so(
    fresh_database: BaseDBAsyncClient, organization: Organization, meter: Meter, tmp_path: Path
) -> None:
    late = await meter_of(organization.id)
    await catch_up_all(organization.id)
    found = await definition_of(late)
    assert (found.complete_from, found.position) == (FEBRUARY, None)
    assert (await definition_of(meter)).complete_from is None
    whole = [Window(JANUARY, MARCH)]
    assert (await usage(fresh_database, found, whole)).total.quantity == 10
    await restore(tmp_path)
    await check_no_drift(organization)
    assert (await usage(fresh_database, found, whole)).total.quantity == 10
    assert (await definition_of(late)).complete_from == FEBRUARY
    anew = await meter_of(organization.id)
    await catch_up_all(organization.id)
    assert (await definition_of(anew)).complete_from is None
    assert (await usage(fresh_database, await definition_of(anew), whole)).total.quantity == 11


async def test_a_meter_that_is_behind_while_a_month_comes_back_counts_what_it_says(
    fresh_database: BaseDBAsyncClient, organization: Organization, meter: Meter, tmp_path: Path
) -> None:
    late = await meter_of(organization.id)
    await restore(tmp_path)
    await catch_up_all(organization.id)
    found = await definition_of(late)
    assert found.complete_from == FEBRUARY
    assert (await usage(fresh_database, found, [Window(JANUARY, MARCH)])).total.quantity == 10


async def test_new_dimensions_count_from_the_boundary_and_say_so(
    fresh_database: BaseDBAsyncClient, organization: Organization, meter: Meter
) -> None:
    await update_meter(organization.id, meter.id, MeterChanges(dimensions=("model", "region")))
    await catch_up_all(organization.id)
    found = await definition_of(meter)
    assert (found.complete_from, found.dimensions_complete_from) == (None, FEBRUARY)
    whole = [Window(JANUARY, MARCH)]
    grouped = await grouped_usage(fresh_database, found, whole, Grouping(by=("model",)))
    assert [group.usage.total.quantity for group in grouped.groups] == [10]
    assert grouped.usage.total.quantity == 11
    await check_no_drift(organization)


async def test_an_archived_meter_that_missed_events_says_so_when_it_counts_again(
    fresh_database: BaseDBAsyncClient, organization: Organization, tmp_path: Path
) -> None:
    meter = await meter_of(organization.id)
    await catch_up_all(organization.id)
    await archive_meter(organization.id, meter.id, nobody)
    for start, tokens in ((JANUARY, 1), (FEBRUARY, 10)):
        await send(organization.id, {"timestamp": start, "metadata": {"tokens": tokens}})
        await drain(organization.id)
    await archive(tmp_path)
    await unarchive_meter(organization.id, meter.id)
    await catch_up_all(organization.id)
    found = await definition_of(meter)
    assert (found.complete_from, found.position) == (FEBRUARY, None)
    assert (await usage(fresh_database, found, [Window(JANUARY, MARCH)])).total.quantity == 10
    await check_no_drift(organization)


async def check_no_drift(organization: Organization) -> None:
    """The nightly audit and a recompute find nothing to repair."""
    assert organization.id in await audits_due(datetime(2100, 1, 1, tzinfo=UTC))
    while not (await audit_step(organization.id)).is_last:
        pass
    for row in await CustomerMeter.filter(organization_id=organization.id):
        found = await recompute_customer_meter(organization.id, row.id)
        assert found is not None
        assert found.drifts == ()
    assert await UsageDrift.filter(organization_id=organization.id).count() == 0


async def test_audits_leave_archived_time_alone(
    fresh_database: BaseDBAsyncClient, organization: Organization, meter: Meter
) -> None:
    await check_no_drift(organization)
    total = await usage(fresh_database, await definition_of(meter), [Window(JANUARY, MARCH)])
    assert total.total.quantity == 11


async def test_who_follows_events_from_before_begins_again(
    organization: Organization, meter: Meter, tmp_path: Path
) -> None:
    with pytest.raises(CursorLostError):
        await check_events_follow(organization.id, 0)
    await check_events_follow(organization.id, 2)
    with pytest.raises(EventsMissingError):
        [rows async for rows in read_log(organization.id, 0, 2)]
    assert [len(rows) async for rows in read_log(organization.id, 1, 2)] == [1]
    await restore(tmp_path)
    await check_events_follow(organization.id, 0)
    assert [len(rows) async for rows in read_log(organization.id, 0, 2)] == [2]
