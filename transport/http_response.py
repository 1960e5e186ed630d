"""Writes responses, with exact numbers and the status of the result."""

from typing import Any

from strawberry.types import ExecutionResult

from models import exact_json
from schema.errors import Forbidden, Unauthenticated
from transport.http_request import GRAPHQL_JSON


def encode_json(data: object) -> str:
    """Writes JSON with exact numbers; lone surrogates, which UTF-8 cannot encode, become `?`."""
    try:
        return exact_json.dumps(data)
    except TypeError:
        return exact_json.dumps(_encodable(data))


def _encodable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, dict):
        return {_encodable(key): _encodable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_encodable(item) for item in data]
    return data


def is_request_error(result: ExecutionResult) -> bool:
    """Whether nothing was executed; then the response has no `data`."""
    return (
        result.data is None
        and bool(result.errors)
        and all(error.path is None for error in result.errors or ())
    )


def response_body(result: ExecutionResult) -> dict[str, Any]:
    """Returns the body of a result; errors come first, so that people see them."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not is_request_error(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def status_of(result: ExecutionResult, media: str) -> int:
    """Returns the HTTP status; for application/json it is always 200, as older clients expect."""
    if media != GRAPHQL_JSON or result.data is not None:
        return 200
    if is_request_error(result):
        return 400
    codes = {(error.extensions or {}).get("code") for error in result.errors or ()}
    if codes == {Unauthenticated.code}:
        return 401
    return 403 if codes == {Forbidden.code} else 200
