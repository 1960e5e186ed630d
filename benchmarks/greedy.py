"""`python -m benchmarks.greedy KIND PORT TOKEN`: one tenant that takes whatever it can get.

A process of its own, so that its client's work does not delay the one who measures. It prints
"ready" once everything is under way, and goes on until it is ended. Messages are not decoded.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import uvloop
from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from benchmarks.events import bodies
from benchmarks.http_client import HttpConnection

_HOST = "127.0.0.1"
_SENDERS = 8
_BATCH = 1_000
_PREPARED = 40
_SCANS = 25
_SUBSCRIPTIONS = 1_000
_A_SOCKET = 200
_BYTES = 256 * 1024

_PREVIEW = """{ meterPreview(
  filter: {clauses: [{clause: {property: "total_tokens", operator: GREATER_THAN, value: 3}}]}
  aggregation: {function: SUM, property: "total_tokens"}
) { matchedEvents quantity } }"""
_WHERE = """{ events(first: 1, filter: {where: {
  clauses: [{clause: {property: "total_tokens", operator: LESS_THAN, value: -1}}]
}}) { nodes { id } } }"""
_EVENTS = "subscription { eventsIngested { id name metadata customer { externalId } } }"
_USAGE = """subscription { usageUpdated {
  cursor customerMeter { consumedUnits customer { externalId } meter { name } }
} }"""


async def _ingest(port: int, token: str) -> list[Awaitable[None]]:
    """Eight clients that send 1,000 events a call at full speed."""
    made = [bodies(_BATCH * _PREPARED, _BATCH) for _ in range(_SENDERS)]

    async def send(sender: int) -> None:
        connection = await HttpConnection.open(_HOST, port, token)
        for turn in count():
            for body in made[sender]:
                # Each event is a new one: its external id, which the body names, is used once.
                await connection.post(body.replace(b'"externalId":"', b'"externalId":"%d-' % turn))

    return [send(sender) for sender in range(_SENDERS)]


def _scans(query: str) -> Callable[[int, str], Awaitable[list[Awaitable[None]]]]:
    async def scan(port: int, token: str) -> list[Awaitable[None]]:
        """25 clients that ask the same, which looks at every event, again and again."""
        body = json.dumps({"query": query}).encode()

        async def ask() -> None:
            connection = await HttpConnection.open(_HOST, port, token)
            while True:
                answer = await connection.post(body)
                if b'"errors"' in answer:
                    assert b'"RATE_LIMITED"' in answer, answer
                    await asyncio.sleep(1)

        return [ask() for _ in range(_SCANS)]

    return scan


def _subscriptions(query: str, rate: int) -> Callable[[int, str], Awaitable[list[Awaitable[None]]]]:
    async def subscribe(port: int, token: str) -> list[Awaitable[None]]:
        """1,000 subscriptions to everything, while so many single events a second come."""
        watcher, _, sender = token.partition(",")
        reading = [await _socket(port, watcher, query) for _ in range(_SUBSCRIPTIONS // _A_SOCKET)]
        connection = await HttpConnection.open(_HOST, port, sender or watcher)

        async def send() -> None:
            loop = asyncio.get_running_loop()
            while True:
                for body in bodies(_BATCH, 1):
                    due = loop.time() + 1 / rate
                    await connection.post(body)
                    await asyncio.sleep(max(0.0, due - loop.time()))

        return [*reading, send()]

    return subscribe


async def _socket(port: int, token: str, query: str) -> Awaitable[None]:
    """A socket with 200 subscriptions, whose messages are thrown away as they come."""
    uri = parse_uri(f"ws://{_HOST}:{port}/graphql")
    protocol = ClientProtocol(uri, subprotocols=[Subprotocol("graphql-transport-ws")])
    reader, writer = await asyncio.open_connection(_HOST, port, limit=_BYTES)
    protocol.send_request(protocol.connect())
    writer.writelines(protocol.data_to_send())
    while not any(isinstance(event, Response) for event in protocol.events_received()):
        protocol.receive_data(await reader.read(_BYTES))

    def send(message: dict[str, Any]) -> None:
        protocol.send_text(json.dumps(message).encode())
        writer.writelines(protocol.data_to_send())

    send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
    await reader.read(_BYTES)  # connection_ack
    for number in range(_A_SOCKET):
        send({"id": str(number), "type": "subscribe", "payload": {"query": query}})

    async def read() -> None:
        while await reader.read(_BYTES):
            pass
        writer.close()

    return read()


KINDS: dict[str, Callable[[int, str], Awaitable[list[Awaitable[None]]]]] = {
    "ingest": _ingest,
    "previews": _scans(_PREVIEW),
    "where": _scans(_WHERE),
    "events": _subscriptions(_EVENTS, 100),
    "usage": _subscriptions(_USAGE, 5),
}


async def main(kind: str, port: int, token: str) -> None:
    """Runs one kind; `token` may be two, of who watches and who sends, with a comma between."""
    work = await KINDS[kind](port, token)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*work)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
