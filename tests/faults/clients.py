"""Clients that send events over HTTP and send again what was not acknowledged."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

NAMES = ("ai_usage", "video_streamed", "file_uploaded")
_TIMEOUT_SECONDS = 60.0
_SECONDS_BETWEEN_TRIES = 0.1
INGEST = """
mutation Ingest($input: EventsIngestInput!) {
  eventsIngest(input: $input) {
    inserted duplicates conflicts rejected receipts { status eventId } userErrors { message }
  }
}
"""


class RefusedError(AssertionError):
    """An answer that sending again would not change."""


@dataclass
class Api:
    """The API on one port, asked with one token; a connection for each request."""

    port: int
    token: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer.

        Raises:
            OSError, http.client.HTTPException: nobody answers.
            RetryableError: the API cannot, now.
            RefusedError: the API will not.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(
                "POST",
                "/graphql",
                json.dumps({"query": query, "variables": variables}),
                {"content-type": "application/json", "authorization": f"Bearer {self.token}"},
            )
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        if codes - {"INTERNAL", "UNAVAILABLE"}:
            raise RefusedError(answer["errors"])
        if codes:
            raise RetryableError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def insist(self, query: str, **variables: Any) -> tuple[dict[str, Any], Counter[str]]:
        """Asks until there is an answer; gives what went wrong before, too."""
        failures: Counter[str] = Counter()
        while True:
            try:
                return self.ask(query, **variables), failures
            except (OSError, http.client.HTTPException, ValueError, RetryableError) as error:
                failures[type(error).__name__] += 1
                time.sleep(_SECONDS_BETWEEN_TRIES)


class RetryableError(Exception):
    """The API says that it failed, and that it is not the request's fault."""


@dataclass
class IngestingClient:
    """Sends batch after batch until it is stopped; each until it is acknowledged.

    Clients of one seed send the same batches, at about the same time.
    """

    api: Api
    seed: int
    largest_batch: int = 40
    longest_pause: float = 0.05
    """The most seconds between an answer and the next batch."""
    stopping: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The events that were said to be stored, as they were sent, by externalId."""
    failures: Counter[str] = field(default_factory=Counter)
    error: BaseException | None = None

    def start(self) -> None:
        """Begins, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Sends no new batch, and waits until the last one is acknowledged."""
        self.stopping.set()
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "a client is never answered"
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            chance = random.Random(self.seed)
            number = 0
            while not self.stopping.is_set():
                events = [
                    event(chance, f"{self.seed}-{number + place}")
                    for place in range(chance.randint(1, self.largest_batch))
                ]
                number += len(events)
                self._send(events)
                time.sleep(chance.uniform(0, self.longest_pause))
        except BaseException as error:  # noqa: BLE001  # told by `finish`
            self.error = error

    def _send(self, events: list[dict[str, Any]]) -> None:
        data, failures = self.api.insist(INGEST, input={"events": events})
        self.failures += failures
        payload = data["eventsIngest"]
        if {receipt["status"] for receipt in payload["receipts"]} - {"INSERTED", "DUPLICATE"}:
            raise RefusedError(payload)
        self.acknowledged |= {sent["externalId"]: sent for sent in events}


def event(chance: random.Random, external_id: str) -> dict[str, Any]:
    """A random event: of few customers and names, over some days, with and without numbers."""
    seconds = chance.randrange(5 * 24 * 3_600)
    day, rest = divmod(seconds, 24 * 3_600)
    clock = f"{rest // 3_600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{chance.randrange(10**6):06}"
    metadata: dict[str, Any] = {"model": chance.choice(["small", "large"])}
    if chance.random() < 0.9:
        metadata["tokens"] = chance.choice(
            [
                chance.randrange(1_000),
                f"{chance.randrange(10**6)}.{chance.randrange(10**4):04}",
                "?",
            ]
        )
    return {
        "externalId": external_id,
        "externalCustomerId": f"customer-{chance.randrange(7)}",
        "name": chance.choice(NAMES),
        "timestamp": f"2026-02-{day + 1:02}T{clock}Z",
        "metadata": metadata,
    }
