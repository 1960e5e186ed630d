"""`metergraph import`, as a person runs it, against the API."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Customer, CustomerMeter, Event, Meter, Organization
from tests.ingesting import drain
from tests.metergraph.running import MAPPING, ROWS, RunImport


def beginning(path: Path, rows: int) -> Path:
    cut = path.with_name(f"cut-{path.name}")
    cut.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: rows + 1]))
    return cut


async def meter_of(organization: Organization, property_: str | None) -> Meter:
    function = AggregationFunction.SUM if property_ else AggregationFunction.COUNT
    return await create_meter(
        organization.id,
        property_ or "events",
        None,
        Filter(clauses=(Clause("name", ClauseOperator.EQUALS, "ai_usage"),)),
        Aggregation(function, property_),
    )


async def total(meter: Meter) -> Decimal:
    rows = await CustomerMeter.filter(meter_id=meter.id)
    return sum((row.consumed for row in rows), Decimal(0))


async def test_a_csv_file_is_imported_once(
    organization: Organization, run_import: RunImport, invocations: Path
) -> None:
    meters = [
        await meter_of(organization, property_)
        for property_ in (None, "context_tokens", "generated_tokens")
    ]
    expected = [
        Decimal(ROWS),
        Decimal(sum(374 + number for number in range(ROWS))),
        Decimal(sum(number % 200 for number in range(ROWS))),
    ]
    first = await run_import(invocations, *MAPPING)
    assert first.code == 0
    assert first.out.startswith("2,345 rows in ")
    assert first.out.endswith(": 2,345 inserted, 0 stored already, 0 refused.\n")
    await drain(organization.id)
    assert [await total(meter) for meter in meters] == expected

    again = await run_import(invocations, *MAPPING, "--batch-size", 100)
    assert again.out.endswith(": 0 inserted, 2,345 stored already, 0 refused.\n")
    await drain(organization.id)
    assert [await total(meter) for meter in meters] == expected

    customers = await Customer.filter(organization_id=organization.id)
    assert {customer.external_id for customer in customers} == {
        f"customer-{number}" for number in range(10)
    }
    event = await Event.filter(organization_id=organization.id).order_by("timestamp").first()
    assert event is not None
    assert event.timestamp == datetime(2023, 11, 16, 18, 15, 46, 680_590, UTC)
    assert event.metadata == {"context_tokens": 374, "generated_tokens": 0}


async def test_an_import_that_was_cut_off_is_simply_started_again(
    organization: Organization, run_import: RunImport, invocations: Path
) -> None:
    assert (await run_import(beginning(invocations, 1_000), *MAPPING)).code == 0
    result = await run_import(invocations, *MAPPING)
    assert result.out.endswith(": 1,345 inserted, 1,000 stored already, 0 refused.\n")
    assert await Event.filter(organization_id=organization.id).count() == ROWS


async def test_ndjson_can_be_mapped_too(
    organization: Organization, run_import: RunImport, tmp_path: Path
) -> None:
    path = tmp_path / "log.txt"
    path.write_text('{"user": 7, "day": "2026-01-02", "ok": true, "bytes": 12.50}\n')
    result = await run_import(
        *(path, "--format", "ndjson", "--name", "upload", "--customer", "user-{user}"),
        *("--timestamp", "{day}T00:00:00Z", "--external-id", "{user}/{day}"),
        *("--number", "size={bytes}", "--boolean", "ok={ok}", "--text", "by={user}"),
    )
    assert (result.code, result.err) == (0, "")
    event = await Event.get(organization_id=organization.id)
    assert (event.external_id, event.timestamp) == (
        "7/2026-01-02",
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert event.metadata == {"size": Decimal("12.50"), "ok": True, "by": "7"}
