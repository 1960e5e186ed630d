"""The change feeds of a process: live usage and live events of its organizations."""

import asyncio
import contextlib
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis

from metering.language.filters import Filter
from metering.live.change_feed import ChangeFeed, Cursor, Entry
from metering.live.changes import (
    EventRow,
    EventSelection,
    TriggerSelection,
    UsageSelection,
    log_column,
    read_events,
    read_triggers,
    read_usage,
)
from metering.live.matching import Matching
from metering.live.pulse import (
    SECONDS_OF_SILENCE,
    Pulse,
    keep_listening,
    notice_cancellation,
)
from metering.live.timelines import current_timeline
from metering.live.wakeup import usage_channel
from models import AlertTrigger, CustomerMeter
from waiting.turns import Pace

# A cursor that names the last timeline although a new one has begun is refused at worst.
_SECONDS_OF_TIMELINE = 5.0


@dataclass(slots=True)
class _OrganizationFeeds:
    usage: ChangeFeed[CustomerMeter]
    events: ChangeFeed[EventRow]
    triggers: ChangeFeed[AlertTrigger]
    matching: Matching
    # Followers, including those about to start.
    users: int = 0

    def look(self, traceparent: str | None) -> None:
        self.usage.look(traceparent)
        self.events.look(traceparent)
        self.triggers.look(traceparent)

    @property
    def followers(self) -> int:
        return self.usage.followers + self.events.followers + self.triggers.followers


class ChangeFeeds:
    """The feeds of a process. `listen` must run beside them, or they see changes late."""

    def __init__(self, redis: ArqRedis, pace: Pace) -> None:
        self._redis = redis
        self._pace = pace
        self._organizations: dict[UUID, _OrganizationFeeds] = {}
        self._joined = asyncio.Event()
        self._timeline: tuple[float, UUID] | None = None

    async def timeline(self) -> UUID:
        """Returns the timeline of the cursors that are made now, as of a few seconds ago."""
        now = time.monotonic()
        if self._timeline is None or now - self._timeline[0] >= _SECONDS_OF_TIMELINE:
            self._timeline = now, await current_timeline()
        return self._timeline[1]

    @property
    def followers(self) -> int:
        """How many subscriptions are open in this process."""
        return sum(feeds.followers for feeds in self._organizations.values())

    async def usage(
        self, organization_id: UUID, after: Cursor | None, selection: UsageSelection
    ) -> AsyncGenerator[Sequence[Entry[CustomerMeter]], None]:
        """Customer meters that changed after a cursor, in pages: see `ChangeFeed.follow`."""
        async with (
            self._feeds(organization_id) as feeds,
            contextlib.aclosing(feeds.usage.follow(after, selection)) as pages,
        ):
            async for page in pages:
                yield page

    async def events(
        self,
        organization_id: UUID,
        selection: EventSelection,
        after: Cursor | None = None,
        where: Filter | None = None,
    ) -> AsyncGenerator[Sequence[Entry[EventRow]], None]:
        """Events after a cursor, or from now on, in the order of the log and in pages.

        See `ChangeFeed.follow`. No index finds the events of a selection or a filter in the order
        of the log. So from a cursor on, and for a filter, the whole log is read, page by page.
        """
        followed = selection if after is None else EventSelection()
        async with (
            self._feeds(organization_id) as feeds,
            contextlib.aclosing(feeds.events.follow(after, followed)) as pages,
        ):
            async for page in pages:
                wanted = [entry for entry in page if selection.matches(entry.row)]
                if where is not None and wanted:
                    await self._pace.turn(organization_id)
                    ids = await feeds.matching.of(where, [entry.cursor.id for entry in wanted])
                    wanted = [entry for entry in wanted if entry.cursor.id in ids]
                if wanted:
                    yield wanted

    async def triggers(
        self, organization_id: UUID, after: Cursor | None
    ) -> AsyncGenerator[Sequence[Entry[AlertTrigger]], None]:
        """Alerts that triggered after a cursor, or from now on, in pages: see `events`."""
        async with (
            self._feeds(organization_id) as feeds,
            contextlib.aclosing(feeds.triggers.follow(after, TriggerSelection())) as pages,
        ):
            async for page in pages:
                yield page

    @contextlib.asynccontextmanager
    async def _feeds(self, organization_id: UUID) -> AsyncIterator[_OrganizationFeeds]:
        feeds = self._organizations.get(organization_id)
        if feeds is None:
            feeds = self._organizations[organization_id] = _organization_feeds(
                organization_id, partial(self._pace.turn, organization_id)
            )
            self._joined.set()
        feeds.users += 1
        try:
            yield feeds
        finally:
            feeds.users -= 1
            if not feeds.users:
                del self._organizations[organization_id]
                self._joined.set()

    async def listen(self) -> None:
        """Makes feeds look for changes when Redis announces some. Runs until it is cancelled."""
        await keep_listening(self._listen)

    async def _listen(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            heard: set[str] = set()
            pulse = Pulse(pubsub)
            hearing: asyncio.Task[Any] | None = None
            try:
                while True:
                    heard = await self._follow_channels(pubsub, heard)
                    notice_cancellation()
                    if not heard:
                        await self._joined.wait()
                        continue
                    if hearing is None:
                        hearing = asyncio.create_task(
                            pubsub.get_message(timeout=SECONDS_OF_SILENCE)
                        )
                    await self._until_done_or_joined(hearing)
                    if hearing.done():
                        message = hearing.result()
                        hearing = None
                        await pulse.feel(message)
                        self._pass_on(message)
            finally:
                if hearing is not None:
                    hearing.cancel()
                    await asyncio.wait((hearing,))

    async def _until_done_or_joined(self, hearing: "asyncio.Task[Any]") -> None:
        """Returns when a message arrives or an organization joins or leaves."""
        joined = asyncio.create_task(self._joined.wait())
        try:
            await asyncio.wait((hearing, joined), return_when=asyncio.FIRST_COMPLETED)
        finally:
            joined.cancel()

    def _pass_on(self, message: Any) -> None:
        if message is not None and message["type"] == "message":
            organization_id = UUID(message["channel"].decode().rpartition(":")[2])
            feeds = self._organizations.get(organization_id)
            if feeds is not None:
                feeds.look(message["data"].decode() or None)

    async def _follow_channels(self, pubsub: Any, heard: set[str]) -> set[str]:
        self._joined.clear()
        wanted = {usage_channel(organization_id) for organization_id in self._organizations}
        if wanted - heard:
            await pubsub.subscribe(*(wanted - heard))
        if heard - wanted:
            await pubsub.unsubscribe(*(heard - wanted))
        return wanted


def _organization_feeds(
    organization_id: UUID, turn: Callable[[], Awaitable[None]]
) -> _OrganizationFeeds:
    async def revision() -> int:
        return await log_column(organization_id, "revision")

    async def head() -> int:
        return await log_column(organization_id, "head")

    return _OrganizationFeeds(
        ChangeFeed(
            partial(read_usage, organization_id), revision, lambda row: row.customer_id, turn
        ),
        ChangeFeed(
            partial(read_events, organization_id), head, lambda row: row["customer_id"], turn
        ),
        ChangeFeed(
            partial(read_triggers, organization_id), revision, lambda row: row.customer_id, turn
        ),
        Matching(organization_id),
    )
