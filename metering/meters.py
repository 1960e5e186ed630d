"""The life of a meter: created, edited until it has counted, renamed, archived, unarchived.

What a meter counts and how far it has counted change under the log's lock only, so that no event is
counted during an edit.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config.clock import now
from metering.archive.boundary import events_from
from metering.archive.recounting import refuse_archived_periods
from metering.counting.catch_up import hold_catch_up
from metering.counting.late import note_recounting
from metering.counting.log import LogState, lock_log, take_position
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import definition_of
from metering.language.filters import Filter, event_names, to_json
from metering.language.properties import Property, property_of
from metering.live.after_commit import emit
from metering.live.wakeup import CATCH_UP_METERS, Wake
from metering.problems import RefusedError, problem
from models import Meter
from models.changes import store_changes
from models.meter import CLEARING

# What an edit can change, archiving, or unarchiving. The rest changes with counting.
_CHANGED = (
    "name",
    "unit",
    "event_filter",
    "aggregation_function",
    "aggregation_property",
    "carries_over",
    "event_names",
    "dimensions",
    "position",
    "dimensions_position",
    "complete_from",
    "dimensions_complete_from",
    "defined_from",
    "skipped_events",
    "usage_version",
    "problem",
    "failing_since",
    "retry_at",
    "archived_at",
    "updated_at",
)

InUse = Callable[[BaseDBAsyncClient, UUID, UUID], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class MeterNeeds:
    """What others need a meter to keep: dimensions, and one of some functions."""

    dimensions: frozenset[Property] = frozenset()
    functions: frozenset[AggregationFunction] = frozenset(AggregationFunction)

    def check(self, aggregation: Aggregation, dimensions: Sequence[str]) -> None:
        """Refuses an aggregation or dimensions without what is needed."""
        kept = {property_of(name) for name in dimensions}
        if not self.dimensions <= kept:
            message = "A rate of a price uses a dimension that would be removed."
            raise RefusedError(problem("IN_USE", message, "dimensions"))
        if aggregation.function not in self.functions:
            message = "A price of this meter has rates, which need COUNT or SUM."
            raise RefusedError(problem("IN_USE", message, "aggregation"))


Needs = Callable[[BaseDBAsyncClient, UUID, UUID], Awaitable[MeterNeeds]]


async def nothing_needed(
    _connection: BaseDBAsyncClient, _organization_id: UUID, _meter_id: UUID
) -> MeterNeeds:
    """Returns the needs of a meter that nothing uses."""
    return MeterNeeds()


@dataclass(frozen=True, slots=True)
class MeterChanges:
    """The changes to a meter. None leaves a field unchanged; `sets_unit` says to set `unit`."""

    name: str | None = None
    sets_unit: bool = False
    unit: str | None = None
    filter: Filter | None = None
    aggregation: Aggregation | None = None
    dimensions: tuple[str, ...] | None = None

    @property
    def changes_counting(self) -> bool:
        """Whether they can change what the meter counts, so that it counts history again."""
        given = (self.filter, self.aggregation, self.dimensions)
        return any(change is not None for change in given)


async def create_meter(  # one argument for each thing that a meter says
    organization_id: UUID,
    name: str,
    unit: str | None,
    filter_: Filter,
    aggregation: Aggregation,
    dimensions: Sequence[str] = (),
) -> Meter:
    """Creates a meter, which also counts all events that are stored, and says from when that is."""
    _check_dimensions(aggregation, dimensions)
    async with in_transaction() as connection:
        log = await lock_log(connection, organization_id)
        stored_from = await events_from(connection)
        emit(connection, Wake(CATCH_UP_METERS, organization_id))
        return await Meter.create(
            organization_id=organization_id,
            name=name,
            unit=unit,
            position=_position(0, log),
            dimensions=list(dimensions),
            dimensions_position=_position(0, log) if dimensions else None,
            complete_from=stored_from,
            dimensions_complete_from=stored_from,
            using_db=connection,
            **_definition(filter_, aggregation),
        )


async def update_meter(
    organization_id: UUID,
    meter_id: UUID,
    changes: MeterChanges,
    needs: Needs = nothing_needed,
) -> Meter:
    """Changes a meter. A new filter or aggregation is refused once the meter has counted.

    Otherwise such a change makes the meter start over with every event. New dimensions make its
    usage by dimension start over. A change without what `needs` returns is refused, and so is one
    after which a period could not be counted again, because its events are archived.
    """
    async with in_transaction() as connection:
        if changes.changes_counting:
            await hold_catch_up(connection, meter_id)
        log = await lock_log(connection, organization_id)
        meter = await _locked_meter(connection, organization_id, meter_id)
        present = definition_of(meter)
        new_filter = changes.filter or present.filter
        new_aggregation = changes.aggregation or present.aggregation
        kept = present.dimensions if changes.dimensions is None else changes.dimensions
        needed = await needs(connection, organization_id, meter_id)
        needed.check(new_aggregation, kept)
        _check_dimensions(new_aggregation, kept)
        changed = [
            field
            for field, differs in (
                ("filter", new_filter != present.filter),
                ("aggregation", new_aggregation != present.aggregation),
            )
            if differs
        ]
        if changed and meter.counted_events:
            message = (
                f"The meter has counted {meter.counted_events:,} events, so its filter and"
                " aggregation cannot change. Create another meter: it counts past events too."
            )
            raise RefusedError(problem("METER_LOCKED", message, changed[0]))
        stored_from = await events_from(connection) if changes.changes_counting else None
        if changed:
            await refuse_archived_periods(connection, meter, stored_from, changed[0])
            meter.complete_from = stored_from
            await _start_over(connection, meter, _definition(new_filter, new_aggregation), log)
        recounts_dimensions = bool(changed and present.dimensions)
        if changes.dimensions is not None and changes.dimensions != present.dimensions:
            meter.dimensions = list(changes.dimensions)
            recounts_dimensions = True
        if recounts_dimensions:
            if needed.dimensions:
                await refuse_archived_periods(connection, meter, stored_from, "dimensions")
            meter.dimensions_complete_from = stored_from
            meter.dimensions_position = CLEARING
            emit(connection, Wake(CATCH_UP_METERS, organization_id))
        if changes.name is not None:
            meter.name = changes.name
        if changes.sets_unit:
            meter.unit = changes.unit
        await _store(connection, meter)
        return meter


async def _start_over(
    connection: BaseDBAsyncClient, meter: Meter, definition: dict[str, Any], log: LogState
) -> None:
    """Makes a meter that has counted nothing count all history by another definition."""
    await _forget(connection, meter)
    if await note_recounting(connection, meter.organization_id, meter.id):
        # Invoices made until now say that it counted nothing, and must stay right.
        log = await take_position(connection, meter.organization_id)
        meter.defined_from = log.head
    for column, value in definition.items():
        setattr(meter, column, value)
    meter.skipped_events = 0
    meter.usage_version += 1
    _end_pause(meter)
    # An archived meter keeps its position; a live one would count.
    meter.position = _position(0, log) if meter.archived_at is None else 0
    emit(connection, Wake(CATCH_UP_METERS, meter.organization_id))


async def archive_meter(organization_id: UUID, meter_id: UUID, in_use: InUse) -> Meter:
    """Stops a meter at the log's head. Refused while `in_use` returns a reason to keep it."""
    async with in_transaction() as connection:
        log = await lock_log(connection, organization_id)
        meter = await _locked_meter(connection, organization_id, meter_id)
        if meter.archived_at is None:
            reason = await in_use(connection, organization_id, meter_id)
            if reason is not None:
                raise RefusedError(problem("IN_USE", reason, "id"))
            meter.archived_at = now()
            meter.position = log.head if meter.position is None else meter.position
            if meter.dimensions and meter.dimensions_position is None:
                meter.dimensions_position = log.head
            _end_pause(meter)
            await _store(connection, meter)
        return meter


async def unarchive_meter(organization_id: UUID, meter_id: UUID) -> Meter:
    """Unarchives a meter, which then counts the events that it missed."""
    async with in_transaction() as connection:
        log = await lock_log(connection, organization_id)
        meter = await _locked_meter(connection, organization_id, meter_id)
        if meter.archived_at is not None:
            meter.archived_at = None
            if meter.position is not None:
                if meter.dimensions_position == meter.position:
                    meter.dimensions_position = _position(meter.position, log)
                meter.position = _position(meter.position, log)
                emit(connection, Wake(CATCH_UP_METERS, organization_id))
            await _store(connection, meter)
        return meter


def _check_dimensions(aggregation: Aggregation, dimensions: Sequence[str]) -> None:
    if aggregation.lasts() and dimensions:
        message = "A meter whose values last (TIME_WEIGHTED, carriesOver) cannot have dimensions."
        raise RefusedError(problem("INVALID", message, "dimensions"))


def _position(counted: int, log: LogState) -> int | None:
    """The position of a meter: None, which means live, if it is at the head already."""
    return None if counted == log.head else counted


def _end_pause(meter: Meter) -> None:
    """Clears the record that counting failed."""
    meter.update_from_dict({"problem": None, "failing_since": None, "retry_at": None})


def _definition(filter_: Filter, aggregation: Aggregation) -> dict[str, Any]:
    names = event_names(filter_)
    return {
        "event_filter": to_json(filter_),
        "aggregation_function": aggregation.function.value,
        "aggregation_property": aggregation.property,
        "carries_over": aggregation.lasts(),
        "event_names": None if names is None else sorted(names),
    }


async def _locked_meter(
    connection: BaseDBAsyncClient, organization_id: UUID, meter_id: UUID
) -> Meter:
    meter = (
        await Meter.filter(id=meter_id, organization_id=organization_id)
        .using_db(connection)
        .select_for_update()
        .first()
    )
    if meter is None:
        raise RefusedError(problem("NOT_FOUND", "There is no meter with this id.", "id"))
    return meter


async def _store(connection: BaseDBAsyncClient, meter: Meter) -> None:
    meter.updated_at = now()
    await store_changes(meter, connection, *_CHANGED)


async def _forget(connection: BaseDBAsyncClient, meter: Meter) -> None:
    """Deletes the buckets of a meter that has counted nothing: they have skipped events only."""
    await connection.execute_query(
        "DELETE FROM usage_bucket WHERE organization_id = $1 AND meter_id = $2",
        [meter.organization_id, meter.id],
    )
