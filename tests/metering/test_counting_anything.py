"""Counting any events with any filters never fails, and agrees with Python."""

import secrets
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.counting.event_names import event_names
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import ClauseOperator, Conjunction, Filter
from metering.language.parsing import parse_filter
from metering.meters import create_meter
from models import CustomerMeter, Meter, Organization
from tests.effort import examples
from tests.faults.exactness import assert_exact
from tests.ingesting import catch_up_all, drain, send
from tests.reference import strategies
from tests.reference.sql import parsed

properties = st.sampled_from([name for name in strategies.PROPERTIES if name != "timestamp"])
functions = st.sampled_from(list(AggregationFunction))
meters = st.tuples(strategies.filters | st.just({"conjunction": "AND", "clauses": []}), functions)


@examples(40)
@given(
    events=strategies.event_lists, wanted=st.lists(meters, min_size=1, max_size=4), data=st.data()
)
async def test_any_events_are_counted_exactly(
    database: BaseDBAsyncClient,
    events: list[dict[str, Any]],
    wanted: list[tuple[dict[str, Any], AggregationFunction]],
    data: st.DataObject,
) -> None:
    organization = await Organization.create(name="Any", slug=f"any-{secrets.token_hex(8)}")
    middle = data.draw(st.integers(0, len(events)))

    async def create() -> None:
        for filter_, function in wanted:
            named = None if function is AggregationFunction.COUNT else data.draw(properties)
            aggregation = Aggregation(function, named)
            await create_meter(organization.id, "Any", None, parsed(filter_), aggregation)

    await create()
    for part in (events[:middle], events[middle:]):
        if part:
            fields = ("name", "timestamp", "metadata")
            await send(organization.id, *({name: event[name] for name in fields} for event in part))
        await drain(organization.id)
    await create()
    await catch_up_all(organization.id)

    assert await assert_exact(organization.id) == len(events)
    assert not await Meter.filter(organization_id=organization.id, position__isnull=False).exists()
    assert sum(use.occurrences for use in await event_names(organization.id)) == len(events)
    for row in await CustomerMeter.filter(organization_id=organization.id):
        recomputed = await recompute_customer_meter(organization.id, row.id)
        assert recomputed is not None
        assert recomputed.drifts == ()


# JSON that no limit of the API lets through, but that PostgreSQL stores.
ODD_JSON = [
    *["1e100000", "-1e100000", "1e-10000", "-0.0", "0", "null", "true", "[]", "{}"],
    *["1e31", "1e30", "0." + "3" * 60, "9" * 40, "9" * 5000],
    *[f'"{text}"' for text in ("1e100000", "-1e131071", "1e999999999", "1e-999999999", "NaN")],
    *[f'"{text}"' for text in ("Infinity", "-Infinity", "", " ", "x" * 20_000, "1" * 20_000)],
    *["[1e100000, 1]", '["1e100000", "NaN", null, [1]]', "[[[1e-16383]]]", '{"n": 1e100000}'],
    *["[" * 500 + "]" * 500, '{"n":' * 500 + "1" + "}" * 500, str(list(range(3000)))],
]
# At PostgreSQL's own limits: numbers so large have no sum, and so small no average.
EXTREME_JSON = ["9.99e131071", "-9.99e131071", "1e-16383", "[9.99e131071, 1e-16383]"]
OPERANDS: list[dict[str, Any]] = [
    *[{"value": number} for number in (Decimal(1), Decimal("1e30"), Decimal("-1e-30"))],
    *[{"text": text} for text in ("1", "1e30", "NaN", "x", "", "1e100000")],
    {"value": True},
]


def filters_of_every_operator() -> list[Filter]:
    """Every operator with every operand, on metadata that is odd, and inside of it."""
    found = []
    for operator in ClauseOperator:
        for operand in OPERANDS:
            for name in ("a", "a.n", "a.0", "n"):
                clause = {"property": name, "operator": operator.name, **operand}
                parsed_ = parse_filter({"conjunction": "AND", "clauses": [{"clause": clause}]})
                if isinstance(parsed_, Filter):  # a boolean cannot be ordered
                    found.append(parsed_)
    return found


async def test_json_beyond_the_limits_of_the_api_stops_no_meter(
    organization: Organization, database: BaseDBAsyncClient
) -> None:
    stored = [*ODD_JSON, *EXTREME_JSON]
    await send(organization.id, *[{} for _ in stored])
    await database.execute_query(
        """
        UPDATE event
        SET metadata = jsonb_build_object('a', odd.json::jsonb)
            || CASE WHEN odd.json = ANY($3::text[]) THEN '{}'
                    ELSE jsonb_build_object('n', odd.json::jsonb) END
        FROM (
            SELECT id, ($2::text[])[row_number() OVER (ORDER BY id)] AS json
            FROM event WHERE organization_id = $1
        ) AS odd
        WHERE organization_id = $1 AND event.id = odd.id
        """,
        [organization.id, stored, EXTREME_JSON],
    )
    clauses = filters_of_every_operator()
    assert len(clauses) > 250
    count = Aggregation(AggregationFunction.COUNT)
    # AND and OR of some at once, because each meter is a statement.
    wanted = [
        (Filter(conjunction, tuple(clauses[start : start + 20])), count)
        for start in range(0, len(clauses), 20)
        for conjunction in Conjunction
    ]
    wanted += [
        (Filter(), count if each == count.function else Aggregation(each, "n"))
        for each in AggregationFunction
    ]
    for filter_, aggregation in wanted:
        await create_meter(organization.id, "Odd", None, filter_, aggregation)

    await drain(organization.id)

    behind = Meter.filter(organization_id=organization.id, position__isnull=False)
    assert await behind.values_list("problem", flat=True) == []
    meters = await Meter.filter(organization_id=organization.id).order_by("id")
    whole = {
        meter.aggregation_function: (meter.counted_events, meter.skipped_events)
        for meter in meters[-len(AggregationFunction) :]
    }
    numbers = sum(text[0] in "-0123456789" for text in ODD_JSON)
    assert whole["COUNT"] == (len(stored), 0)
    assert whole["SUM"] == whole["AVERAGE"] == (numbers, len(stored) - numbers)
    for row in await CustomerMeter.filter(organization_id=organization.id):
        recomputed = await recompute_customer_meter(organization.id, row.id)
        assert recomputed is not None
        assert recomputed.drifts == ()
