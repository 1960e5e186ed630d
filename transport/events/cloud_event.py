"""Reads one CloudEvent 1.0 as an event: from JSON, or from the headers of a request.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md

`type` is the event's name, `subject` its customer's external id, `time` its timestamp and `data`
its metadata. The external id is `source`, a space and `id`. Extension attributes are ignored.
"""

import base64
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from metering.ingest.events import EventDraft, EventKeys, check_event
from metering.problems import Problem, RefusedError, problem
from metering.texts import EXTERNAL_ID, name_fault
from transport.http_request import decode_json

SPECVERSION = "1.0"
DATA = "data"
_KEYS = EventKeys(
    name="type",
    customer_id="",  # a CloudEvent has no id of ours
    external_customer_id="subject",
    external_id="id",
    timestamp="time",
    metadata=DATA,
)
_ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time")
_ESCAPED = re.compile(r"\\(.)")


def check_cloud_event(event: Any, now: datetime) -> EventDraft | Problem:
    """Checks a CloudEvent in the JSON event format."""
    try:
        return check_event(_fields(event), now, lambda _id: None, _KEYS)
    except RefusedError as refused:
        return refused.problems[0]


def _fields(event: Any) -> dict[str, Any]:
    if type(event) is not dict:
        raise _invalid("The event is not a JSON object.")
    if event.get("specversion") != SPECVERSION:
        raise _invalid(f'specversion is not "{SPECVERSION}".', "specversion")
    subject = event.get("subject")
    if subject is None:
        raise _invalid("subject is missing; it names the customer.", "subject")
    if event.get("type") is None:
        raise _invalid("type is missing; it is the name of the event.", "type")
    return {
        "type": event["type"],
        "subject": subject,
        "id": external_id(_text(event, "source"), _text(event, "id")),
        "time": event.get("time"),
        DATA: _data(event),
    }


def external_id(source: str, id_: str) -> str:
    """Returns the external id of a CloudEvent; raises RefusedError if it is too long.

    A URI has no spaces, so the first space ends the source, and no two events share an external id.
    """
    joined = f"{source.replace(' ', '%20')} {id_}"
    if len(joined) > EXTERNAL_ID:
        message = (
            f"source and id have {len(joined) - 1:,} characters together; at most"
            f" {EXTERNAL_ID - 1} are allowed."
        )
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "id"))
    return joined


def _text(event: dict[str, Any], attribute: str) -> str:
    value = event.get(attribute)
    if value is None:
        raise _invalid(f"{attribute} is missing.", attribute)
    if fault := name_fault(value, EXTERNAL_ID):
        raise RefusedError(problem(fault[0], f"{attribute} {fault[1]}", attribute))
    return str(value)


def _data(event: dict[str, Any]) -> Any:
    declared = event.get("datacontenttype")
    data, encoded = event.get(DATA), event.get("data_base64")
    if data is None and encoded is None:
        return None
    if data is not None and encoded is not None:
        raise _invalid("Give only one of data and data_base64.", "data_base64")
    # Unlike data, data_base64 without a type is not JSON.
    if not (is_json(declared) if declared is not None else encoded is None):
        raise _invalid(f"{DATA} is not JSON by its datacontenttype.", "datacontenttype")
    return data if encoded is None else _decoded(encoded)


def _decoded(encoded: Any) -> Any:
    if type(encoded) is not str:
        raise _invalid("data_base64 is not a string.", "data_base64")
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise _invalid("data_base64 is not base64.", "data_base64") from None
    try:
        return decode_json(content)
    except ValueError as error:
        raise _invalid(f"data_base64 is not JSON: {error}.", "data_base64") from None


def is_json(media: Any) -> bool:
    """Whether a content type is that of JSON: `*/json` or `*/*+json`."""
    if type(media) is not str:
        return False
    subtype = media.partition(";")[0].strip().lower().partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def event_of_headers(headers: Headers, data: Any) -> dict[str, Any]:
    """Returns the event of a request in binary mode as the JSON event format has it.

    Raises RefusedError for a header that is given twice or is not UTF-8.
    """
    event: dict[str, Any] = {DATA: data}
    for attribute in _ATTRIBUTES:
        values = headers.getlist(f"ce-{attribute}")
        if len(values) > 1:
            raise _invalid(f"The header ce-{attribute} is given twice.", attribute)
        if values:
            event[attribute] = _header_text(values[0], attribute)
    return event


def _header_text(value: str, attribute: str) -> str:
    """Removes the quotes of a quoted string and decodes what is percent-encoded, once."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        # Starlette reads headers as Latin-1. Some senders leave UTF-8 as it is.
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise _invalid(f"The header ce-{attribute} is not UTF-8.", attribute) from None


def _invalid(message: str, *path: str) -> RefusedError:
    return RefusedError(problem("INVALID", message, *path))
