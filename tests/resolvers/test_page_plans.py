"""A page of events costs what it shows, also in the table of a single tenant."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.language.filters import Clause, ClauseOperator, Conjunction, Filter
from metering.language.parameters import Parameters
from models import Customer, Organization
from schema.loaders.events import EventQuery, events_source
from schema.loaders.keyset import PageRequest, bounds_of
from tests.ingesting import NOON, drain, meter_of, send, usages

RARE, OFTEN = 20, 4_000
# The planner takes a tenant for a two-hundredth of the table, whoever it is (decision 32): to it,
# one of these events is what a page of 100 is of half a million.
PAGE = 1


def named(*names: str) -> Filter:
    """Events that have one of the names."""
    return Filter(
        Conjunction.OR, tuple(Clause("name", ClauseOperator.EQUALS, name) for name in names)
    )


QUERIES = {
    "a frequent name": (EventQuery(names=("often",)), PAGE),
    "a rare name": (EventQuery(names=("rare",)), PAGE),
    "the same name twice": (EventQuery(names=("rare", "rare")), PAGE),
    "a name that nothing has": (EventQuery(names=("nothing",)), 0),
    "several names": (EventQuery(names=("rare", "often", "nothing")), PAGE),
    "a rare name, since then": (EventQuery(names=("rare",), start=NOON), PAGE),
    "where a name is": (EventQuery(where=named("rare")), PAGE),
    "where one of two names is": (EventQuery(where=named("rare", "nothing")), PAGE),
    "a rare name where another is": (EventQuery(names=("rare",), where=named("often")), 0),
}


async def _stored(database: BaseDBAsyncClient, organization: Organization) -> None:
    """The rare ones lie farthest down."""
    events = [{"name": "rare", "timestamp": NOON}] * RARE
    events += [
        {"name": "often", "timestamp": NOON + timedelta(seconds=number)} for number in range(OFTEN)
    ]
    await send(organization.id, *events)
    await drain(organization.id)
    await database.execute_script("ANALYZE")


async def _page(
    organization: Organization, query: EventQuery, *, last: bool = False
) -> tuple[list[str], int]:
    """The names of a page, and how many events were read, by a plan made for any names."""
    source = events_source(organization.id, query)
    if source.empty:
        return [], 0
    parameters = Parameters()
    bounds = bounds_of(source.keyset, PageRequest(PAGE, backward=last))
    statement = source.page_sql(bounds, PAGE, parameters)
    async with in_transaction() as connection:
        await connection.execute_script("SET LOCAL plan_cache_mode = force_generic_plan")
        before = await _events_read(connection)
        rows = await connection.execute_query_dict(statement, parameters.values)
        return [row["name"] for row in rows], await _events_read(connection) - before


async def _events_read(connection: BaseDBAsyncClient) -> int:
    """How many events this connection has read of late."""
    (row,) = await connection.execute_query_dict(
        """
        SELECT sum(seq_tup_read + idx_tup_fetch)::bigint AS events FROM pg_stat_xact_user_tables
        WHERE relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'event'::regclass)
        """
    )
    events: int = row["events"]
    return events


@pytest.mark.parametrize("asked", QUERIES)
async def test_a_page_of_names_reads_a_page_of_each(
    fresh_database: BaseDBAsyncClient, organization: Organization, asked: str
) -> None:
    await _stored(fresh_database, organization)
    query, expected = QUERIES[asked]
    names, read = await _page(organization, query)
    assert len(names) == expected
    if query.names is not None:
        assert set(names) <= set(query.names)
    assert read <= 3 * PAGE + RARE


async def test_a_page_of_a_meter_reads_events_of_its_names(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await _stored(fresh_database, organization)
    meter = await meter_of(organization.id, filter_=named("rare", "nothing"))
    for query in (EventQuery(meter=meter), EventQuery(meter=meter, names=("rare", "often"))):
        names, read = await _page(organization, query)
        assert names == ["rare"] * PAGE
        assert read <= 3 * PAGE + RARE
    assert await _page(organization, EventQuery(meter=meter, names=("often",))) == ([], 0)


@pytest.mark.parametrize("asked", ["everything", "customer", "archived meter", "range", "last"])
async def test_a_page_reads_the_events_that_it_shows(
    fresh_database: BaseDBAsyncClient, organization: Organization, asked: str
) -> None:
    meter = await meter_of(organization.id)
    for batch in range(10):
        stored = usages([batch] * 300)
        await send(
            organization.id,
            *({**event, "externalCustomerId": f"c{n % 3}"} for n, event in enumerate(stored)),
        )
    await drain(organization.id)
    await fresh_database.execute_script("ANALYZE")
    meter.archived_at, meter.position = NOON, 10
    customer = await Customer.get(organization_id=organization.id, external_id="c1")
    query = {
        "customer": EventQuery(customer_id=customer.id),
        "archived meter": EventQuery(meter=meter),
        "range": EventQuery(start=NOON, end=NOON.replace(year=2027)),
    }.get(asked, EventQuery())
    names, read = await _page(organization, query, last=asked == "last")
    assert (len(names), read) == (PAGE, PAGE)


async def test_more_names_than_are_gone_through_one_by_one(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await _stored(fresh_database, organization)
    many = ("rare", *(f"nothing {number}" for number in range(30)))
    names, _read = await _page(organization, EventQuery(names=many))
    assert names == ["rare"] * PAGE


async def test_names_that_no_event_can_have_are_no_statement(organization: Organization) -> None:
    everything = EventQuery()
    assert events_source(organization.id, replace(everything, names=())).empty
    assert events_source(organization.id, replace(everything, names=("\0",))).empty
    assert not events_source(organization.id, everything).empty
