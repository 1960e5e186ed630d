"""`POST /v1/events/ingest`: answers as Polar's ingestion does, so that its SDKs send events here.

https://polar.sh/docs/api-reference/events/ingest
All events of a request are stored, or none. Events whose external id is taken are duplicates.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from metering.ingest.events import EventDraft, check_event
from metering.ingest.storing import InvalidEventPolicy, Receipt, ReceiptStatus
from metering.language.metadata import MAXIMUM_KEYS
from metering.problems import Problem, RefusedError, problem
from resolvers.ingesting import decode_customer_id
from schema.loaders.rows import fetch
from transport.events.endpoint import Arrival, EventsEndpoint
from transport.events.polar_event import KEYS, fields_of, mistake, mistakes
from transport.http_request import JSON, HTTPError, check_content_type
from transport.http_response import encode_json
from waiting.outages import cut_off_is_outage

PATH = "/v1/events/ingest"
_MOST_ERRORS = 100  # that are reported
_POLARS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BY_EXTERNAL_ID = """
    SELECT external_id, id FROM customer
    WHERE organization_id = $1 AND external_id = ANY($2::text[])
"""
_TOO_MANY_KEYS = f"Dictionary should have at most {MAXIMUM_KEYS} items"
_ORGANIZATION = "Setting organization_id is disallowed when using an organization token."
_NAMES = {401: "Unauthorized", 403: "NotPermitted", 429: "RateLimited"}


class PolarIngestion(EventsEndpoint):
    """The endpoint."""

    async def received(self, arrival: Arrival) -> Response:
        """Stores the events of a request."""
        check_content_type(arrival.request)
        sent = await arrival.parsed(await arrival.body(), KEYS.metadata)
        events = sent.get("events") if isinstance(sent, dict) else None
        if not isinstance(events, list):
            return _invalid([_of_body(sent)])
        most = arrival.api.settings.max_batch_events  # more are refused
        customers = await _customers(arrival.context.organization_id, events[:most])
        checking = _Checking(customers)
        try:
            receipts = await arrival.store(
                list(enumerate(events)),
                checking.check,
                InvalidEventPolicy.REJECT_BATCH,
                is_repeatable=lambda: all(map(_has_external_id, events)),
            )
        except RefusedError as refused:
            return _invalid([mistake("too_long", ("body", "events"), str(refused), None)])
        errors = [*checking.errors, *_unknown_customers(events, receipts)]
        if errors:
            return _invalid(errors)
        counts = Counter(receipt.status for receipt in receipts)
        inserted = counts[ReceiptStatus.INSERTED]
        body = {"inserted": inserted, "duplicates": len(receipts) - inserted}
        return Response(encode_json(body), media_type=JSON)

    def refused(self, refusal: HTTPError, request: Request) -> Response:
        """Builds the response to a refused request, with Polar's fields."""
        message = refusal.error.message
        if refusal.status == 400:  # the body is not JSON
            return _invalid([mistake("json_invalid", ("body",), message, None)])
        body = {"error": _NAMES.get(refusal.status, "PolarError"), "detail": message}
        if refusal.status == 401 and "authorization" in request.headers:
            body = {"error": "invalid_token", "error_description": message}
        if refusal.status == 403:
            body = {"error": "insufficient_scope", "error_description": message}
        return Response(encode_json(body), refusal.status, dict(refusal.headers), JSON)


class _Checking:
    """Checks the events of one request and collects their errors.

    Args:
        customers: those that the events name by Polar's ids.
    """

    def __init__(self, customers: Mapping[str, UUID]) -> None:
        self._customers = customers
        self.errors: list[dict[str, Any]] = []

    def check(self, numbered: tuple[int, Any], now: datetime) -> EventDraft | Problem:
        """Checks one event and its index."""
        index, sent = numbered
        if _has_many_keys(sent):  # pydantic would describe each of them
            return self._refuse(index, [mistake("too_long", ("metadata",), _TOO_MANY_KEYS, None)])
        try:
            fields = fields_of(sent)
        except ValidationError as error:
            return self._refuse(index, mistakes(error) if self._may_report else [])
        if sent.get("organization_id") is not None:
            location = ("organization_id",)
            wrong = mistake("organization_token", location, _ORGANIZATION, sent["organization_id"])
            return self._refuse(index, [wrong])
        checked = check_event(fields, now, self._customer_id, KEYS)
        if isinstance(checked, Problem) and checked.code != "NOT_FOUND":
            wrong = mistake("value_error", checked.path, checked.message, None)
            return self._refuse(index, [wrong])
        return checked

    def _customer_id(self, sent: str) -> UUID | None:
        return self._customers.get(sent) or decode_customer_id(sent)

    @property
    def _may_report(self) -> bool:
        return len(self.errors) < _MOST_ERRORS

    def _refuse(self, index: int, errors: list[dict[str, Any]]) -> Problem:
        if self._may_report:
            for error in errors:
                self.errors.append({**error, "loc": ["body", "events", index, *error["loc"]]})
        return problem("INVALID", "The event is invalid.")


async def _customers(organization_id: UUID, events: list[Any]) -> dict[str, UUID]:
    """Returns the customers that have the ids of Polar's in the events as their external ids."""
    named = (event.get(KEYS.customer_id) for event in events if isinstance(event, dict))
    polars = {id_ for id_ in named if isinstance(id_, str) and _POLARS_ID.fullmatch(id_)}
    if not polars:
        return {}
    with cut_off_is_outage():  # a smaller request would not help
        rows = await fetch(_BY_EXTERNAL_ID, organization_id, list(polars))
    return {row["external_id"]: row["id"] for row in rows}


def _has_many_keys(sent: Any) -> bool:
    metadata = sent.get(KEYS.metadata) if isinstance(sent, dict) else None
    return isinstance(metadata, dict) and len(metadata) > MAXIMUM_KEYS


def _has_external_id(sent: Any) -> bool:
    return isinstance(sent, dict) and sent.get(KEYS.external_id) is not None


def _unknown_customers(events: list[Any], receipts: list[Receipt]) -> Iterator[dict[str, Any]]:
    for index, receipt in enumerate(receipts):
        if receipt.error is not None and receipt.error.code == "NOT_FOUND":
            location = ("body", "events", index, KEYS.customer_id)
            sent = events[index][KEYS.customer_id]
            yield mistake("customer_id", location, "Customer not found.", sent)


def _of_body(sent: Any) -> dict[str, Any]:
    """Returns the error of a body without a list of events."""
    if not isinstance(sent, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        return mistake("model_attributes_type", ("body",), message, sent)
    if "events" not in sent:
        return mistake("missing", ("body", "events"), "Field required", sent)
    message = "Input should be a valid list"
    return mistake("list_type", ("body", "events"), message, sent["events"])


def _invalid(errors: list[dict[str, Any]]) -> Response:
    body = {"error": "RequestValidationError", "detail": errors[:_MOST_ERRORS]}
    return Response(encode_json(body), 422, media_type=JSON)
