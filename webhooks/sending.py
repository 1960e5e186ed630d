"""Sends one message to one endpoint: a POST that ends within 15 seconds, whatever answers."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpcore
import httpx

from config import clock
from webhooks.addresses import AddressError, CheckedNetwork, check_url, target
from webhooks.secrets import signatures

TRY_SECONDS = 15.0
# Of a response only the status counts. Its body is read so far, to use the connection again.
_BODY_BYTES = 16 * 1024
_BODY_SECONDS = 1.0
_IDLE_SECONDS = 30.0
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"user-agent", b"Metergraph-Webhooks"),
]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the Standard Webhooks specification. Every try sends the same id and body."""

    webhook_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try: `status` is that of the response, `error` says why there was no success."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took the message."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint says that it wants no more messages."""
        return self.status == 410


class Sender:
    """Connections to one endpoint. Redirects are not followed, and no proxy is used.

    The caller limits how many messages it sends at once. httpcore's own pool, which also does that,
    looks at every connection for each request.
    """

    def __init__(self, tls: ssl.SSLContext, *, allow_insecure: bool) -> None:
        self._tls = tls
        self._allow_insecure = allow_insecure
        self._network = CheckedNetwork(allow_insecure=allow_insecure)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def close(self) -> None:
        """Closes the connections."""
        while self._idle:
            await self._idle.pop().aclose()

    async def send(self, url: str, secrets: Sequence[str], message: Message) -> Attempt:
        """Sends a message, and returns what came of it. It raises nothing that an endpoint causes.

        The secrets sign it: the endpoint's, and during a rotation the previous one too.
        """
        at = clock.now()
        started = time.monotonic()
        status: int | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(TRY_SECONDS):
                check_url(url, allow_insecure=self._allow_insecure)
                status = await self._post(url, secrets, message, at)
        except TimeoutError:
            error = f"No answer within {TRY_SECONDS:g} seconds."
        except AddressError as refused:
            error = f"The URL {refused}"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as failed:
            error = _described(failed)
        except (OSError, ssl.SSLError) as failed:
            error = _described(failed)
        if status is not None and not 200 <= status < 300:
            error = f"HTTP status {status}."
        took = round((time.monotonic() - started) * 1000)
        return Attempt(at, took, status, error)

    async def _post(self, url: str, secrets: Sequence[str], message: Message, at: datetime) -> int:
        place = target(url)
        headers = [
            (b"host", _host(place)),
            *_HEADERS,
            (b"webhook-id", message.webhook_id.encode()),
            (b"webhook-timestamp", str(int(at.timestamp())).encode()),
            (
                b"webhook-signature",
                signatures(secrets, message.webhook_id, at.astimezone(UTC), message.body).encode(),
            ),
        ]
        content = message.body.encode()
        headers.append((b"content-length", str(len(content)).encode()))
        connection = await self._connection(place.origin)
        try:
            async with connection.stream(
                "POST", place, headers=headers, content=content
            ) as response:
                await _drain(response)
                return response.status
        finally:
            if connection.is_available():
                self._idle.append(connection)
            else:
                await connection.aclose()

    async def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """Returns an idle connection, or one that connects when it is used."""
        while self._idle:
            connection = self._idle.pop()
            if connection.can_handle_request(origin) and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin, self._tls, keepalive_expiry=_IDLE_SECONDS, network_backend=self._network
        )


def tls_context() -> ssl.SSLContext:
    """Returns the context that checks certificates: with certifi's, or those of SSL_CERT_FILE."""
    return httpx.create_ssl_context()


async def _drain(response: httpcore.Response) -> None:
    """Reads a short body. The connection of a longer or slower one is closed."""
    read = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in response.aiter_stream():
                read += len(part)
                if read > _BODY_BYTES:
                    return
    except (TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        return


def _host(place: httpcore.URL) -> bytes:
    host = b"[%s]" % place.host if b":" in place.host else place.host
    return host if place.port is None else b"%s:%d" % (host, place.port)


def _described(error: Exception) -> str:
    """Describes an error in at most 300 characters, for the endpoint's owner."""
    return (str(error) or type(error).__name__)[:300]
