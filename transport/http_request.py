"""Reads requests of GraphQL over HTTP, with limits on bodies and with exact numbers.

https://graphql.github.io/graphql-over-http/draft/. Every refusal is an HTTPError with the
specification's status and a GraphQL error for the body.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams
from starlette.requests import Request

from models import exact_json
from schema.context import Context
from schema.errors import APIError, BadUserInput, TooComplex
from transport.persisted_queries import names_document

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
_BYTES_A_PIECE = 8 * 1024  # read in a tenth of a millisecond
SMALL_BYTES = 64 * 1024  # for requests without an organization's token, and for subscriptions
_MOST_DIGITS = 18  # of a Content-Length; Python refuses integers of thousands of digits
_MAX_HEADER = 1_000  # characters, because parsing a header takes quadratic time


class HTTPError(Exception):
    """A request is refused before it is executed."""

    def __init__(
        self, status: int, error: APIError, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = headers or {}


@dataclass(frozen=True)
class Operation:
    """The parameters of one GraphQL request."""

    query: str | None  # None: a hash in the extensions names the document
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None


def decode_json(data: str | bytes, but_in: str = "metadata") -> Any:
    """Reads JSON with exact numbers; raises ValueError for invalid JSON.

    Raises AmbiguousError for an object with a duplicate key; but in the metadata of an event in a
    list, only that event is refused later. `but_in` is the key of its metadata.
    """
    try:
        return exact_json.loads(data)
    except exact_json.AmbiguousError as error:
        if error.value is None:
            raise
        message = exact_json.ambiguity(error.value, but_in=but_in)
        if message is None:
            return error.value
        raise exact_json.AmbiguousError(message, error.value) from None
    except RecursionError:
        raise ValueError("The JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("The JSON is not UTF-8") from None
    except ValueError:
        if data[:1] == "\ufeff" or data[:3] == BOM_UTF8:
            raise ValueError("It begins with a byte order mark, so remove that") from None
        raise


def accepted(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """Returns the media type of `offered` that an Accept header prefers; None if it takes none.

    A wildcard or a missing header takes the first that is offered; a header that is too long takes
    none.
    """
    return None if accept and len(accept) > _MAX_HEADER else _preferred(accept or "*/*", offered)


# Clients send the same few headers with each request, and reading them takes long.
@lru_cache(maxsize=256)
def _preferred(accept: str, offered: tuple[str, ...]) -> str | None:
    best: tuple[float, int, str] | None = None
    for index, part in enumerate(accept.split(",")):
        media, _, rest = part.strip().partition(";")
        media = media.strip().lower()
        weight = _quality(rest)
        if weight <= 0:
            continue
        for candidate in offered:
            if media in {candidate, "*/*", candidate.split("/")[0] + "/*"}:
                if best is None or weight > best[0]:
                    best = (weight, index, candidate)
                break
    return best[2] if best else None


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1


async def read_body(request: Request, maximum: int) -> bytes:
    """Reads the body; raises HTTPError 413 as soon as it turns out larger than `maximum` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > maximum):
        raise _too_large(maximum)
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > maximum:
            raise _too_large(maximum)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(maximum: int) -> HTTPError:
    message = f"The request is larger than {maximum:,} bytes"
    # The connection cannot be used again, because the rest of the body is not read.
    return HTTPError(413, TooComplex(message, maximumBytes=maximum), {"connection": "close"})


async def turn_of(context: Context, size: int) -> None:
    """Waits for the turn to work on `size` bytes; small requests need not wait."""
    if size > SMALL_BYTES:
        await context.turn(size / _BYTES_A_PIECE)


def too_large_to_keep() -> TooComplex:
    """Returns the error of a subscription whose request is too large to keep in memory."""
    return TooComplex(
        f"The request of a subscription may have at most {SMALL_BYTES:,} bytes",
        maximumBytes=SMALL_BYTES,
    )


def check_content_type(request: Request) -> None:
    """Raises HTTPError 415 for a body that is not declared as uncompressed JSON in UTF-8.

    Browsers ask first (CORS) before a page of another origin may send this type, so a form on such
    a page cannot act for a visitor.
    """
    if declared_media(request) != JSON:
        raise HTTPError(415, BadUserInput(f"The Content-Type must be {JSON}"), {"accept": JSON})
    check_encoding(request)


def declared_media(request: Request) -> str | None:
    """Returns the media type of the body in lowercase; None without a Content-Type.

    A header that is too long declares the empty type.
    """
    text = request.headers.get("content-type")
    return None if text is None else _content_type(text).media


def check_encoding(request: Request) -> None:
    """Raises HTTPError 415 for a body that is compressed or not in UTF-8."""
    charset = _content_type(request.headers.get("content-type", "")).charset
    if charset.lower() not in {"utf-8", "utf8"}:
        raise HTTPError(415, BadUserInput("The charset must be utf-8"))
    # Only unpacking would show that a body exceeds the limit.
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        refused = BadUserInput("The body must not be compressed: leave out Content-Encoding")
        raise HTTPError(415, refused, {"accept-encoding": "identity"})


class _ContentType(NamedTuple):
    media: str
    charset: str


def _content_type(text: str) -> _ContentType:
    return _ContentType("", "utf-8") if len(text) > _MAX_HEADER else _read_content_type(text)


@lru_cache(maxsize=256)
def _read_content_type(text: str) -> _ContentType:
    message = Message()
    message["content-type"] = text
    return _ContentType(message.get_content_type(), str(message.get_param("charset", "utf-8")))


def body_as_json(body: bytes, but_in: str = "metadata") -> Any:
    """Reads a body as JSON as `decode_json` does; raises HTTPError 400."""
    try:
        return decode_json(body, but_in)
    except exact_json.AmbiguousError as error:
        raise HTTPError(400, BadUserInput(f"The body is ambiguous: {error}")) from None
    except ValueError as error:
        raise HTTPError(400, BadUserInput(f"The body is not JSON: {error}")) from None


def parse_body(body: bytes, maximum_operations: int) -> Operation | list[Operation]:
    """Reads the operation of a POST, or the list of a batch; raises HTTPError 400."""
    data = body_as_json(body)
    if not isinstance(data, list):
        return parse_operation(data)
    if not 1 <= len(data) <= maximum_operations:
        raise HTTPError(400, TooComplex(f"A batch may have 1 to {maximum_operations} operations"))
    return [parse_operation(item) for item in data]


def parse_query_string(parameters: QueryParams) -> Operation:
    """Reads the operation of a GET; raises HTTPError 400."""
    data: dict[str, Any] = dict(parameters)
    for name in ("query", "variables", "operationName", "extensions"):
        if len(parameters.getlist(name)) > 1:
            raise HTTPError(400, BadUserInput(f"`{name}` is given twice"))
    for name in ("variables", "extensions"):
        if data.get(name):
            try:
                data[name] = decode_json(data[name])
            except exact_json.AmbiguousError as error:
                message = f"`{name}` is ambiguous: {error}"
                raise HTTPError(400, BadUserInput(message)) from None
            except ValueError as error:
                raise HTTPError(400, BadUserInput(f"`{name}` is not JSON: {error}")) from None
        else:
            data.pop(name, None)
    return parse_operation(data)


def parse_operation(data: Any) -> Operation:
    """Checks the parameters of a request; raises HTTPError 400."""
    if not isinstance(data, dict):
        raise HTTPError(400, BadUserInput("The request must be a JSON object"))
    query = data.get("query")
    by_hash = query in (None, "") and names_document(data.get("extensions"))
    if not by_hash and (not isinstance(query, str) or not query):
        raise HTTPError(400, BadUserInput("`query` must be a string with a GraphQL document"))
    for name, kind, said in (
        ("variables", dict, "a JSON object"),
        ("extensions", dict, "a JSON object"),
        ("operationName", str, "a string"),
    ):
        if data.get(name) is not None and not isinstance(data[name], kind):
            raise HTTPError(400, BadUserInput(f"`{name}` must be {said} or null"))
    return Operation(
        query=query or None,
        variables=data.get("variables"),
        operation_name=data.get("operationName") or None,
        extensions=data.get("extensions"),
    )
