"""Cursors after a restore of the database: good up to the backup, refused beyond it."""

import asyncio
import base64
import secrets
from typing import Any

import pytest
from starlette.applications import Starlette
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.live import subscriptions
from metering.live.timelines import begin_timeline, notice_restore
from models import EventLog, LogTimeline, Organization
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.outbox import happened, listen
from tests.resolvers.alerting import consumed, create, token_meter, use
from tests.websocket_client import Socket, connected

FIELDS = ("usageUpdated", "eventsFollowed", "alertTriggered")


@pytest.fixture(autouse=True)
def _timelines_are_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_SECONDS_OF_TIMELINE", 0)


async def follow(socket: Socket, field: str, after: str | None = None) -> None:
    await socket.subscribe(
        f"subscription ($after: String) {{ {field}(after: $after) {{ cursor }} }}", after=after
    )


async def answer(app: Starlette, api: Api, field: str, after: str | None) -> Any:
    """The cursor of the first update, or the code of the error."""
    async with connected(app, api.secret) as socket:
        await follow(socket, field, after)
        payload = (await socket.receive())["payload"]
    errors = payload if isinstance(payload, list) else payload.get("errors")
    return errors[0]["extensions"]["code"] if errors else payload["data"][field]["cursor"]


async def cursors(app: Starlette, api: Api, organization: Organization) -> dict[str, str]:
    """A cursor of each field, of what happens now."""
    feeds = app.state.graphql.services.feeds
    found = {}
    for field in FIELDS[1:]:
        async with connected(app, api.secret) as socket:
            await follow(socket, field)
            async with asyncio.timeout(60):
                while not feeds.followers:  # noqa: ASYNC110  # nothing announces it
                    await asyncio.sleep(0.001)
            await use(organization, f"c-{secrets.token_hex(4)}", 15)  # whom no alert knows
            found[field] = (await socket.receive())["payload"]["data"][field]["cursor"]
        async with asyncio.timeout(60):
            while feeds.followers:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.001)
    who = f"c-{secrets.token_hex(4)}"
    await use(organization, who, 15)
    async with connected(app, api.secret) as socket:
        await socket.subscribe(
            "subscription ($who: String) { usageUpdated(externalCustomerId: $who) { cursor } }",
            who=who,
        )
        update = (await socket.receive())["payload"]["data"]
    return {"usageUpdated": update["usageUpdated"]["cursor"], **found}


async def restore(database: BaseDBAsyncClient, organization: Organization, to: EventLog) -> None:
    """Takes the log back to what it was, as far as cursors can tell, and begins a timeline."""
    await database.execute_query(
        "UPDATE event_log SET head = $2, revision = $3 WHERE organization_id = $1",
        [organization.id, to.head, to.revision],
    )
    async with in_transaction() as connection:
        await begin_timeline(connection, None)


@pytest.fixture
async def watched(api: Api, organization: Organization) -> None:
    """A meter with an alert."""
    await create(api, consumed(await token_meter(api, organization), "10", name="ten"))


async def test_cursors_of_before_a_backup_go_on_and_later_ones_never_do(
    application: Starlette,
    api: Api,
    organization: Organization,
    watched: None,
    fresh_database: BaseDBAsyncClient,
) -> None:
    old = await cursors(application, api, organization)
    backup = await EventLog.get(organization_id=organization.id)
    lost = await cursors(application, api, organization)
    ahead = await EventLog.get(organization_id=organization.id)
    await restore(fresh_database, organization, backup)
    for field in FIELDS:
        assert await answer(application, api, field, lost[field]) == "CURSOR_EXPIRED"
    # The log comes to the same numbers again.
    await restore(fresh_database, organization, ahead)
    await LogTimeline.filter(number__gt=2).delete()
    await fresh_database.execute_query("DELETE FROM log_fork WHERE timeline > 2")
    for field in FIELDS:
        assert await answer(application, api, field, lost[field]) == "CURSOR_EXPIRED"
        resumed = await answer(application, api, field, old[field])
        assert resumed != "CURSOR_EXPIRED"
    new = await cursors(application, api, organization)
    await use(organization, "one more", 15)
    for field in FIELDS:
        assert await answer(application, api, field, new[field]) != "CURSOR_EXPIRED"


async def test_a_cursor_of_a_timeline_that_began_after_the_backup_is_refused(
    application: Starlette,
    api: Api,
    organization: Organization,
    watched: None,
    fresh_database: BaseDBAsyncClient,
) -> None:
    await use(organization, "before", 15)
    log = await EventLog.get(organization_id=organization.id)
    await restore(fresh_database, organization, log)
    lost = await cursors(application, api, organization)
    await LogTimeline.filter(number=2).delete()
    await fresh_database.execute_query("DELETE FROM log_fork")
    await restore(fresh_database, organization, await EventLog.get(organization_id=organization.id))
    for field in FIELDS:
        assert await answer(application, api, field, lost[field]) == "CURSOR_EXPIRED"


async def test_a_cursor_without_a_timeline_is_one_of_the_first(
    application: Starlette,
    api: Api,
    organization: Organization,
    watched: None,
    fresh_database: BaseDBAsyncClient,
) -> None:
    made = (await cursors(application, api, organization))["usageUpdated"]
    number, row, _timeline = base64.urlsafe_b64decode(made).decode().split(":")
    plain = base64.urlsafe_b64encode(f"{number}:{row}".encode()).decode()
    await use(organization, "later", 15)
    assert await answer(application, api, "usageUpdated", plain) != "CURSOR_EXPIRED"
    beyond = base64.urlsafe_b64encode(f"{int(number) + 99}:{row}".encode()).decode()
    assert await answer(application, api, "usageUpdated", beyond) == "CURSOR_EXPIRED"


async def test_a_database_that_is_elsewhere_begins_a_timeline_once_and_endpoints_are_told(
    organization: Organization, fresh_database: BaseDBAsyncClient
) -> None:
    await listen(organization.id, "organization.restored")
    await notice_restore()
    await LogTimeline.all().update(place="another cluster")
    assert [await notice_restore(), await notice_restore()] == [True, False]
    assert await LogTimeline.all().count() == 2
    assert await happened(organization.id) == [("organization.restored", organization.id)]
    await drain(organization.id)
