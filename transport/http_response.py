"""Writing responses: exact numbers, and the status that belongs to a result."""

from typing import Any

from strawberry.types import ExecutionResult

from models import exact_json
from schema.errors import Forbidden, Unauthenticated
from transport.http_request import GRAPHQL_JSON


def encode_json(data: object) -> str:
    """JSON text with exact numbers; lone surrogates, which UTF-8 cannot carry, become `?`."""
    try:
        return exact_json.dumps(data)
    except TypeError:
        return exact_json.dumps(_carriable(data))


def _carriable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, dict):
        return {_carriable(key): _carriable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_carriable(item) for item in data]
    return data


def is_request_error(result: ExecutionResult) -> bool:
    """Whether nothing was executed: such a response has no `data` at all."""
    return (
        result.data is None
        and bool(result.errors)
        and all(error.path is None for error in result.errors or ())
    )


def response_body(result: ExecutionResult) -> dict[str, Any]:
    """A result as GraphQL has it: errors first, where somebody sees them."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not is_request_error(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def status_of(result: ExecutionResult, media: str) -> int:
    """The HTTP status: always 200 as application/json, which older clients expect."""
    if media != GRAPHQL_JSON or result.data is not None:
        return 200
    if is_request_error(result):
        return 400
    codes = {(error.extensions or {}).get("code") for error in result.errors or ()}
    if codes == {Unauthenticated.code}:
        return 401
    return 403 if codes == {Forbidden.code} else 200
