"""GraphQL over HTTP: how a request is written, and what an answer says. Does no I/O."""

import json
import math
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from metergraph_client.errors import (
    ApiError,
    InvalidInputError,
    UnreachableError,
    UserError,
)

LONGEST_RETRY_AFTER = 300.0
"""Seconds. A server that asks for more is asked again after this long."""


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and with which token.

    `tls` is made once, with the client. A thread that makes it holds a lock of OpenSSL, for which a
    process that is forked at that moment would wait for ever.
    """

    url: str
    token: str
    tls: ssl.SSLContext = field(default_factory=httpx.create_ssl_context, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
            # Then the status says whether to try again, which proxies and logs see, too.
            "accept": "application/graphql-response+json, application/json",
            "user-agent": "metergraph-client/0.1.0 (Python)",
        }


def endpoint(url: str | None, token: str | None) -> Endpoint:
    """The endpoint of an address such as https://usage.example; by default, the environment's.

    Raises:
        ValueError: there is no address or no token.
    """
    url = url or os.environ.get("METERGRAPH_API_URL")
    token = token or os.environ.get("METERGRAPH_TOKEN")
    if not url or not url.startswith(("http://", "https://")):
        raise ValueError("Pass `url`, such as https://usage.example, or set METERGRAPH_API_URL.")
    if not token:
        raise ValueError("Pass `token`, an access token, or set METERGRAPH_TOKEN.")
    return Endpoint(url.rstrip("/").removesuffix("/graphql") + "/graphql", token)


def request_body(query: str, variables: Mapping[str, Any] | None) -> bytes:
    """The body of a request."""
    return json.dumps({"query": query, "variables": variables or {}}, default=str).encode()


@dataclass(frozen=True)
class Answer:
    """What Metergraph answered, with data or errors."""

    status: int
    retry_after: float | None
    data: Mapping[str, Any] | None
    errors: list[Mapping[str, Any]]

    @property
    def error(self) -> ApiError | None:
        """The first error."""
        if not self.errors:
            return None
        return ApiError(self.errors[0], status=self.status, retry_after=self.retry_after)


def read_answer(response: httpx.Response) -> Answer:
    """Reads a response.

    Raises:
        UnreachableError: it is not GraphQL, so a proxy or another server has sent it.
    """
    retry_after = _retry_after(response.headers.get("retry-after"))
    try:
        found = response.json()
    except ValueError:
        found = None
    data = found.get("data") if isinstance(found, dict) else None
    errors = found.get("errors") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        data = None
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        errors = []
    if data is None and not errors:
        raise UnreachableError(
            f"{response.url} answered with status {response.status_code}, and not as Metergraph.",
            status=response.status_code,
            retry_after=retry_after,
        )
    if retry_after is None and errors:
        extensions = errors[0].get("extensions")
        if isinstance(extensions, dict):
            retry_after = _retry_after(extensions.get("retryAfterSeconds"))
    return Answer(response.status_code, retry_after, data, errors)


def data_of(answer: Answer) -> Mapping[str, Any]:
    """The data of an answer.

    Raises:
        ApiError: there are errors.
        InvalidInputError: a mutation has userErrors.
    """
    if answer.error is not None:
        raise answer.error
    data = answer.data or {}
    problems = [
        UserError(
            str(problem.get("code", "UNKNOWN")),
            str(problem.get("message", "")),
            tuple(problem.get("path") or ()),
        )
        for field in data.values()
        if isinstance(field, dict)
        for problem in field.get("userErrors") or ()
    ]
    if problems:
        raise InvalidInputError(problems, data)
    return data


def _retry_after(value: object) -> float | None:
    """Seconds, from a number of seconds or an HTTP date."""
    if value is None:
        return None
    try:
        seconds = float(str(value))
    except ValueError:
        try:
            at = parsedate_to_datetime(str(value))
        except ValueError:
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
