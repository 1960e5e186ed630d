"""`POST /events`: CloudEvents 1.0 over HTTP in structured, binary and batched mode.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
The status is 200 only if every event is stored, now or before. The answer has a receipt for each.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from metering.ingest.storing import InvalidEventPolicy, Receipt, ReceiptStatus
from metering.problems import Problem, RefusedError
from schema.errors import BadUserInput, TooComplex
from schema.ids import encode_id
from transport.events.cloud_event import DATA, check_cloud_event, event_of_headers, is_json
from transport.events.endpoint import Arrival, EventsEndpoint
from transport.http_request import JSON, HTTPError, check_encoding, declared_media
from transport.http_response import encode_json

PATH = "/events"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_OTHER_FORMATS = "application/cloudevents"


class CloudEvents(EventsEndpoint):
    """The endpoint."""

    async def received(self, arrival: Arrival) -> Response:
        """Stores the CloudEvents of a request."""
        policy = _policy(arrival.request)
        events = await _events(arrival)
        try:
            receipts = await arrival.store(
                events, check_cloud_event, policy, is_repeatable=lambda: True
            )
        except RefusedError as refused:
            raise HTTPError(413, TooComplex(str(refused))) from None
        return _response(receipts)


def _policy(request: Request) -> InvalidEventPolicy:
    asked = request.query_params.get("onInvalid", InvalidEventPolicy.REJECT_BATCH)
    try:
        return InvalidEventPolicy(asked)
    except ValueError:
        policies = " or ".join(InvalidEventPolicy)
        raise HTTPError(400, BadUserInput(f"`onInvalid` must be {policies}")) from None


async def _events(arrival: Arrival) -> list[Any]:
    """Reads the events of a request, each in the JSON event format."""
    request = arrival.request
    media = declared_media(request)
    check_encoding(request)
    if media == STRUCTURED:
        return [await arrival.parsed(await arrival.body(), DATA)]
    if media == BATCH:
        events = await arrival.parsed(await arrival.body(), DATA)
        if not isinstance(events, list):
            raise HTTPError(400, BadUserInput("A batch must be a JSON list"))
        return events
    return [await _binary(arrival, media)]


async def _binary(arrival: Arrival, media: str | None) -> dict[str, Any]:
    headers = arrival.request.headers
    is_binary = "ce-specversion" in headers and not (media or "").startswith(_OTHER_FORMATS)
    if not is_binary or not (media is None or is_json(media)):
        message = f"Send {STRUCTURED}, {BATCH}, or {JSON} with the headers of a CloudEvent"
        raise HTTPError(415, BadUserInput(message), {"accept": f"{STRUCTURED}, {BATCH}, {JSON}"})
    body = await arrival.body()
    data = await arrival.parsed(body, DATA) if body else None
    try:
        return event_of_headers(headers, data)
    except RefusedError as refused:
        raise HTTPError(400, BadUserInput(str(refused))) from None


def _response(receipts: Sequence[Receipt]) -> Response:
    counts = Counter(receipt.status for receipt in receipts)
    errors = [
        _error(index, receipt.error)
        for index, receipt in enumerate(receipts)
        if receipt.error is not None
    ]
    body = {
        **({"errors": errors} if errors else {}),
        "inserted": counts[ReceiptStatus.INSERTED],
        "duplicates": counts[ReceiptStatus.DUPLICATE],
        "conflicts": counts[ReceiptStatus.CONFLICT],
        "rejected": counts[ReceiptStatus.REJECTED],
        "receipts": [
            {
                "index": index,
                "status": receipt.status,
                "eventId": receipt.event_id and encode_id("Event", receipt.event_id),
            }
            for index, receipt in enumerate(receipts)
        ],
    }
    return Response(encode_json(body), 400 if errors else 200, media_type=JSON)


def _error(index: int, found: Problem) -> dict[str, Any]:
    """Returns the error of one event, in the form of all errors of the API."""
    message, path = found.message, found.path
    if found.code == "CONFLICT":  # the one message that names a field of EventInput
        message, path = message.replace("externalId", "source and id"), ("id",)
    return {
        "message": message,
        "extensions": {"code": found.code, "path": [str(index), *path]},
    }
