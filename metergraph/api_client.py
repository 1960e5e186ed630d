"""A client of the API for commands: GraphQL over HTTP, with retries.

Use it only for operations that may be sent twice, such as storing events with external ids.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx

from models import exact_json

_TIMEOUT = httpx.Timeout(90.0, connect=10.0)
_ATTEMPTS = 10
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class ApiError(RuntimeError):
    """The API refuses or cannot be reached; the message is a sentence."""


class _TransientError(Exception):
    """A failure that a retry may mend, after `seconds` if the server says how many."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class ApiClient:
    """A client with one token, to be used as a context manager.

    Args:
        url: the API's URL, such as http://127.0.0.1:8000.
        token: a bearer token.
        on_retry: receives a sentence before each retry.
        transport: answers instead of a server, in tests.
        sleep: replaces waiting, in tests.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        on_retry: Callable[[str], object] = lambda _message: None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = f"{url.rstrip('/')}/graphql"
        self._on_retry = on_retry
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            timeout=_TIMEOUT,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Opens the connections."""
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Closes the connections."""
        await self._http.__aexit__(kind, error, traceback)

    async def execute(self, query: str, variables: dict[str, Any]) -> Any:
        """Returns the `data` of an operation's answer, with exact numbers.

        Retries network errors, server errors and RATE_LIMITED for about three minutes.

        Raises:
            ApiError: the API refuses the operation, or stays away.
        """
        body = exact_json.dumps({"query": query, "variables": variables}).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._attempt(body)
            except _TransientError as error:
                if attempt == _ATTEMPTS:
                    raise ApiError(f"{error} Gave up after {attempt} attempts.") from None
                seconds = _delay(attempt) if error.seconds is None else error.seconds
                self._on_retry(f"{error} Trying again in {seconds:.1f} s.")
                await self._sleep(seconds)
        raise AssertionError("unreachable")

    async def _attempt(self, body: bytes) -> Any:
        try:
            response = await self._http.post(self._url, content=body)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise _TransientError(f"{self._url} cannot be reached: {reason}.") from None
        try:
            answer = exact_json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            answer = {}
        errors = answer.get("errors") or []
        if response.status_code == _TOO_MANY_REQUESTS or "RATE_LIMITED" in _codes(errors):
            raise _TransientError(
                "The rate limit of the API is reached.", _retry_after(response, errors)
            )
        if response.status_code >= _SERVER_ERROR or "INTERNAL" in _codes(errors):
            raise _TransientError(f"The API failed ({response.status_code}): {_sentences(errors)}")
        if errors:
            raise ApiError(f"The API refused the request: {_sentences(errors)}")
        if not isinstance(answer.get("data"), dict):
            raise ApiError(
                f"{self._url} does not seem to be Metergraph (status {response.status_code})."
            )
        return answer["data"]


def _delay(attempt: int) -> float:
    """Seconds before the next attempt: doubled each time, and spread over clients."""
    longest = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0**attempt)
    return longest * random.uniform(0.5, 1)  # noqa: S311  # a spread, not a secret


def _codes(errors: list[Any]) -> set[str]:
    return {str(error.get("extensions", {}).get("code")) for error in errors}


def _sentences(errors: list[Any]) -> str:
    return " ".join(f"{str(error.get('message')).rstrip('.')}." for error in errors) or "no reason."


def _retry_after(response: httpx.Response, errors: list[Any]) -> float | None:
    """The seconds that the server asks us to wait; None if it does not say."""
    said = [error.get("extensions", {}).get("retryAfterSeconds") for error in errors]
    for value in (response.headers.get("retry-after"), *said):
        try:
            return max(0.0, float(value))
        except (TypeError, ValueError):
            continue
    return None
