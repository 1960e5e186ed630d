"""Voided events in archives, exports, feeds and usage that is kept."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.archive.fencing import fence
from metering.export.events import read_log
from metering.live.change_feed import Cursor
from metering.live.changes import read_events
from metering.months import stored_months
from metering.problems import RefusedError
from metering.usage import kept_ranges
from metering.usage.ranges import usage
from metering.usage.windows import Window
from metering.voiding import found_events
from metering.voiding.voids import Voided, void_events
from models import EventLog, EventVoid, Meter, Organization
from tests.ingesting import definition_of, drain, meter_of, send
from tests.metering.archives import FEBRUARY, JANUARY, MARCH, archive, restore
from tests.metering.keeping import COUNT, calls, count_more, positions, quantities
from tests.metering.stored import meter_on, store
from tests.metering.test_top_customers import CUSTOMERS
from tests.metering.test_usage import EVERY_EVENT
from tests.reference.sql import parsed


async def sent(organization: Organization, *instants: datetime) -> list[UUID]:
    """The ids of counted events of 1, 2, … tokens, with their number as their external id."""
    receipts = await send(
        organization.id,
        *(
            {"timestamp": at, "metadata": {"tokens": number}, "externalId": str(number)}
            for number, at in enumerate(instants, start=1)
        ),
    )
    await drain(organization.id)
    return [receipt.event_id for receipt in receipts if receipt.event_id is not None]


async def total(database: BaseDBAsyncClient, meter: Meter) -> int:
    window = Window(JANUARY, MARCH)
    return int((await usage(database, await definition_of(meter), [window])).total.quantity or 0)


async def test_archived_events_cannot_be_voided_and_voided_ones_stay_so(
    fresh_database: BaseDBAsyncClient, organization: Organization, tmp_path: Path
) -> None:
    meter = await meter_of(organization.id)
    in_january = JANUARY + timedelta(days=3, minutes=7)
    in_february = FEBRUARY + timedelta(days=3, minutes=7)
    first, second, third = await sent(organization, in_january, in_january, in_february)
    await void_events(organization.id, [first], [], "sent twice")
    assert await archive(tmp_path) == ["2026-01"]

    for external_id in ("1", "2"):
        with pytest.raises(RefusedError, match="are archived, and cannot be voided") as refused:
            await void_events(organization.id, [third], [external_id], "sent twice")
        [problem] = refused.value.problems
        assert (problem.code, problem.path) == ("EVENTS_ARCHIVED", ("externalIds",))
    # Nothing tells the id of an archived event from an unknown one.
    unknown = await void_events(organization.id, [second], [], "sent twice")
    assert unknown == Voided((), 0, frozenset({second}))
    assert await total(fresh_database, meter) == 5
    [duplicate] = await send(
        organization.id,
        {"timestamp": in_january, "metadata": {"tokens": 1}, "externalId": "1"},
    )
    void = await EventVoid.get(organization_id=organization.id)
    assert duplicate.voided_at == void.voided_at

    await restore(tmp_path)

    assert await total(fresh_database, meter) == 5
    again = await void_events(organization.id, [first, second], [], "again")
    assert again == Voided((second,), 1)
    assert await total(fresh_database, meter) == 3


async def test_events_of_a_month_that_is_just_being_archived_are_refused(
    fresh_database: BaseDBAsyncClient,
    organization: Organization,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meter = await meter_of(organization.id)
    [event_id] = await sent(organization, JANUARY + timedelta(days=3))
    [january] = [one for one in await stored_months(fresh_database) if one.start == JANUARY]
    await fence(january, uuid4(), tmp_path)
    with pytest.raises(RefusedError, match="are archived, and cannot be voided"):
        await void_events(organization.id, [event_id], [], "sent twice")

    async def nothing_yet(_connection: BaseDBAsyncClient) -> None:
        """What is read before another process begins to archive."""

    monkeypatch.setattr(found_events, "accepted_from", nothing_yet)
    with pytest.raises(RefusedError, match="just being archived"):
        await void_events(organization.id, [event_id], [], "sent twice")
    assert await total(fresh_database, meter) == 1


async def test_exports_and_feeds_leave_voided_events_out(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    first, second, third = await sent(organization, *[JANUARY + timedelta(days=40)] * 3)
    await void_events(organization.id, [second], [], "sent twice")
    head = (await EventLog.get(organization_id=organization.id)).head
    exported = [row["id"] async for rows in read_log(organization.id, 0, head) for row in rows]
    assert exported == [first, third]
    followed = await read_events(organization.id, Cursor(0, UUID(int=0)), 10, None)
    assert [entry.cursor.id for entry in followed] == [first, third]
    await void_events(organization.id, [first, third], [], "sent twice")
    assert [rows async for rows in read_log(organization.id, 0, head)] == []


async def test_usage_that_is_kept_is_not_that_of_voided_events(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_ranges, "FEWEST_CUSTOMERS", 1)
    meter = await meter_on(organization.id, parsed(EVERY_EVENT), COUNT)
    events = calls(CUSTOMERS[0], 3)
    await store(database, organization.id, events)
    await count_more(database, organization.id, 0, 2)
    assert await quantities(database, meter) == [3, 2]
    assert len(await positions(meter)) == 1
    await void_events(organization.id, [events[0]["id"]], [], "sent twice")
    row = await Meter.get(id=meter.id)
    assert await quantities(database, row) == [2, 2]
    await count_more(database, organization.id, 1)
    await void_events(organization.id, [events[1]["id"]], [], "sent twice")
    assert await quantities(database, row) == [2, 2]
