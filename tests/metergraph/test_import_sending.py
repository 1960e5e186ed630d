"""An import sends its events again when the API fails, tried without a server."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from metergraph.api_client import ApiClient, ApiError
from metergraph.importing.outgoing import outgoing_event
from metergraph.importing.reporting import Refusals
from metergraph.importing.row_ids import row_ids
from metergraph.importing.rows import Row, read_ndjson
from metergraph.importing.sending import Importer
from models.exact_json import loads


class Silent:
    """A reporter that tells nobody."""

    def advance(self, rows: int, offset: int) -> None:
        pass

    def bad_row(self, line: int, problem: str) -> None:
        pass

    def note(self, message: str) -> None:
        pass


class Api:
    """Stores external ids, and fails as it is told to: `failures` are taken one by one."""

    def __init__(self, *failures: Exception | int) -> None:
        self.failures = list(failures)
        self.stored: set[str] = set()
        self.user_errors: list[dict[str, str]] = []
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
        payload |= {"conflicts": 0, "rejected": 0, "userErrors": self.user_errors}
        return httpx.Response(200, json={"data": {"eventsIngest": payload}})


def event_of(row: Row) -> Any:
    event = {"name": "n", "externalCustomerId": "c", "externalId": f"p-{row.number}"}
    with row_ids("unused") as ids:
        return outgoing_event(event, row.line, ids, assume_utc=False)


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


def client_of(api: Api) -> ApiClient:
    return ApiClient("http://api", "t", transport=httpx.MockTransport(api.answer), sleep=no_sleep)


async def test_lost_answers_and_failures_are_sent_again_and_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "f.ndjson"
    path.write_text("{}\n" * 1_000)
    api = Api(httpx.ReadError("reset"), 503, 429, httpx.ReadTimeout("silence"))
    async with client_of(api) as client:
        totals = await Importer(
            client, Silent(), Refusals(Silent()), batch_size=100, concurrency=3
        ).run(read_ndjson(path), event_of)
    assert len(api.stored) == 1_000
    assert (totals.rows, totals.inserted + totals.duplicates, totals.refused) == (1_000, 1_000, 0)
    assert totals.duplicates >= 100
    assert 1 < api.most_in_flight <= 3


async def test_an_unreachable_api_ends_the_import(tmp_path: Path) -> None:
    path = tmp_path / "f.ndjson"
    path.write_text("{}\n" * 1_000)
    api = Api(*[500] * 1_000)
    async with client_of(api) as client:
        with pytest.raises(ApiError, match="Gave up after 10 attempts"):
            await Importer(client, Silent(), Refusals(Silent()), batch_size=10).run(
                read_ndjson(path), event_of
            )
    assert not api.stored


async def test_a_refused_batch_ends_the_import_with_the_message_of_the_api(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_text("{}\n")
    api = Api()
    api.user_errors = [{"message": "2,000 events in one call; at most 1,000 are allowed."}]
    async with client_of(api) as client:
        importer = Importer(client, Silent(), Refusals(Silent()))
        with pytest.raises(ApiError) as refused:
            await importer.run(read_ndjson(path), event_of)
    assert (
        str(refused.value)
        == "The API refused the request: 2,000 events in one call; at most 1,000 are allowed."
    )
