"""`metergraph import`, as a person runs it, against the API."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.api_client import ApiClient, ApiError
from config.importing.outgoing import outgoing_event
from config.importing.rows import Row, read_ndjson
from config.importing.sending import Importer
from config.settings import Settings
from metering.aggregations import Aggregation, AggregationFunction
from metering.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Customer, CustomerMeter, Event, Meter, Organization
from models.exact_json import dumps, loads
from tests.ingesting import drain
from tests.serving import new_token, served

ROWS = 2_345


@dataclass
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def run(settings: Settings, organization: Organization) -> AsyncIterator[Run]:
    """Runs the command in its own process, against the API in this one."""
    async with served(settings) as url:
        environment = {
            **os.environ,
            "METERGRAPH_API_URL": url,
            "METERGRAPH_TOKEN": await new_token(organization, "EVENTS_WRITE"),
        }

        async def run(*arguments: object, **more: str) -> Result:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "config", "import", *map(str, arguments)),
                env={**environment, **more},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 60)
            return Result(process.returncode or 0, out.decode(), err.decode())

        yield run


@pytest.fixture
def invocations(tmp_path: Path) -> Path:
    """Invocations of a language model: no offsets, 100 ns digits, CRLF."""
    start = datetime(2023, 11, 16, 18, 15, 46, 680_590)  # noqa: DTZ001  # as such files are
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    lines += [
        f"{start + timedelta(seconds=number, microseconds=number)}0,{374 + number},{number % 200}"
        for number in range(ROWS)
    ]
    path = tmp_path / "invocations.csv"
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def beginning(path: Path, rows: int) -> Path:
    cut = path.with_name(f"cut-{path.name}")
    cut.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: rows + 1]))
    return cut


MAPPING = (
    *("--name", "ai_usage", "--customer", "customer-{row%10}"),
    *("--timestamp", "{TIMESTAMP}", "--assume-utc"),
    *("--number", "context_tokens={ContextTokens}"),
    *("--number", "generated_tokens={GeneratedTokens}"),
)


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
    organization: Organization, run: Run, invocations: Path
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
    first = await run(invocations, *MAPPING)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("2,345 rows in ")
    assert first.out.endswith(": 2,345 inserted, 0 stored already, 0 refused.\n")
    await drain(organization.id)
    assert [await total(meter) for meter in meters] == expected

    again = await run(invocations, *MAPPING, "--batch-size", 100)
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
    organization: Organization, run: Run, invocations: Path
) -> None:
    # The prefix stands for the content: here the file is cut, and not the command.
    assert (await run(beginning(invocations, 1_000), *MAPPING, "--prefix", "p")).code == 0
    result = await run(invocations, *MAPPING, "--prefix", "p")
    assert result.out.endswith(": 1,345 inserted, 1,000 stored already, 0 refused.\n")
    assert await Event.filter(organization_id=organization.id).count() == ROWS


async def test_bad_rows_are_named_by_their_lines_and_the_others_go_on(
    organization: Organization, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.ndjson"
    good = {"name": "a", "externalCustomerId": "c"}
    rows = [
        good,
        {**good, "timestamp": "2026-01-01T00:00:00"},
        {**good, "metadata": {"n": Decimal("1e40")}},
        {**good, "externalId": "own"},
        {**good, "externalId": "own", "name": "another"},
        {**good, "timestamp": "9000-01-01T00:00:00Z"},
        {**good, "color": "red"},
        {"externalCustomerId": "c"},
    ]
    path.write_text("\n".join(["", *map(dumps, rows), "{broken", ""]))
    result = await run(path)
    assert result.code == 1
    assert result.out.endswith(": 2 inserted, 0 stored already, 7 refused.\n")
    *bad_rows, last = result.err.splitlines()
    assert last == "Error: 7 rows were refused; see above."
    assert dict(line.split(": ", 1) for line in bad_rows) == {
        "line 3": "timestamp has no offset: end it with Z or with one such as +02:00. "
        "With --assume-utc it is in UTC.",
        "line 4": "metadata.n is a number outside the limits: at most 38 significant digits, "
        "a decimal exponent within ±30.",
        "line 6": "Another event holds this externalId; it differs in name.",
        "line 7": "timestamp is more than 5 minutes ahead of now.",
        "line 8": "color: an event has no such field",
        "line 9": "name is not a string.",
        "line 10": "is not JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)",
    }
    assert await Event.filter(organization_id=organization.id).count() == 2


async def test_fail_fast_stops_at_the_first_bad_row(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("who,n\na,1\na,x\na,y\n")
    result = await run(
        path, "--name", "n", "--customer", "{who}", "--number", "n={n}", "--fail-fast"
    )
    assert result.code == 1
    assert result.err == (
        "line 3: n: 'x' is not a number\nError: Stopped at line 3, as --fail-fast says.\n"
    )


async def test_ndjson_can_be_mapped_too(
    organization: Organization, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "log.txt"
    path.write_text('{"user": 7, "day": "2026-01-02", "ok": true, "bytes": 12.50}\n')
    result = await run(
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{file}", "--name", "n"), "CSV needs --name, and --customer or --customer-id."),
        (
            ("{file}", "--name", "{Nmae}", "--customer", "c"),
            "has no column Nmae; it has TIMESTAMP, ContextTokens, GeneratedTokens.",
        ),
        (("{file}", "--name", "{x"), "a brace without its partner"),
        (("{file}", "--number", "x"), "'x' is not of the form KEY=TEMPLATE."),
        (("{file}", "--delimiter", "::"), "must be one character."),
        (("missing.csv",), "'missing.csv' does not exist."),
        ((__file__,), "Say with --format whether"),
    ],
)
async def test_options_that_make_no_sense_are_refused_before_anything_is_sent(
    run: Run, invocations: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = await run(
        *(invocations if argument == "{file}" else argument for argument in arguments)
    )
    assert result.code == 2
    assert message in result.err


async def test_a_wrong_token_is_said(run: Run, invocations: Path) -> None:
    result = await run(invocations, *MAPPING, METERGRAPH_TOKEN="mg_wrong")
    assert result.code == 1
    assert result.err.startswith("Error: The API refuses: ")
    assert "mg_wrong" not in result.err


# ---------------------------------------------------------------- bad days, without a server


class Silent:
    """A reporter that only remembers."""

    def __init__(self) -> None:
        self.bad_rows: list[tuple[int, str]] = []

    def advance(self, rows: int, offset: int) -> None:
        pass

    def bad_row(self, line: int, problem: str) -> None:
        self.bad_rows.append((line, problem))

    def note(self, message: str) -> None:
        pass


class Api:
    """Stores external ids, and fails as it is told to: `failures` are taken one by one."""

    def __init__(self, *failures: Exception | int) -> None:
        self.failures = list(failures)
        self.stored: set[str] = set()
        self.in_flight = self.most_in_flight = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        ids = {event["externalId"] for event in loads(request.content)["variables"]["events"]}
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, int):
            return httpx.Response(failure)
        new = ids - self.stored
        self.stored |= ids
        if failure is not None:
            raise failure  # stored, but the answer is lost
        payload: dict[str, Any] = {"inserted": len(new), "duplicates": len(ids - new)}
        payload |= {"conflicts": 0, "rejected": 0, "userErrors": []}
        return httpx.Response(200, json={"data": {"eventsIngest": payload}})


def event_of(row: Row) -> Any:
    event = {"name": "n", "externalCustomerId": "c"}
    return outgoing_event(event, row.line, f"p-{row.number}", assume_utc=False)


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


def client_of(api: Api) -> ApiClient:
    return ApiClient("http://api", "t", transport=httpx.MockTransport(api.answer), sleep=no_sleep)


async def test_lost_answers_and_failures_are_sent_again_and_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "f.ndjson"
    path.write_text("{}\n" * 1_000)
    api = Api(httpx.ReadError("reset"), 503, 429, httpx.ReadTimeout("silence"))
    async with client_of(api) as client:
        totals = await Importer(client, Silent(), batch_size=100, concurrency=3).run(
            read_ndjson(path), event_of
        )
    assert len(api.stored) == 1_000
    assert (totals.rows, totals.inserted + totals.duplicates, totals.refused) == (1_000, 1_000, 0)
    assert totals.duplicates >= 100
    assert 1 < api.most_in_flight <= 3


async def test_an_api_that_stays_away_ends_the_import(tmp_path: Path) -> None:
    path = tmp_path / "f.ndjson"
    path.write_text("{}\n" * 1_000)
    api = Api(*[500] * 1_000)
    async with client_of(api) as client:
        with pytest.raises(ApiError, match="Gave up after 10 attempts"):
            await Importer(client, Silent(), batch_size=10).run(read_ndjson(path), event_of)
    assert not api.stored
