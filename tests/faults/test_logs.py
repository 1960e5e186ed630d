"""No process logs a secret, at the most verbose level, on good days and bad."""

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.faults.clients import INGEST, Api, RefusedError
from tests.faults.system import API, WORKERS, System, wait_until
from tests.faults.tenant import Tenant

pytestmark = pytest.mark.servers

_PART = 12
_SECONDS = 120.0


@pytest.fixture
def chatty(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The API and a worker that log all they can."""
    monkeypatch.setenv("METERGRAPH_LOG_LEVEL", "debug")
    system.start(API, WORKERS[0])
    return system


def post(port: int, path: str, body: str, **headers: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("POST", path, body, headers)
        connection.getresponse().read()
    finally:
        connection.close()


def parts(secret: str) -> list[str]:
    """Pieces of a secret that nobody would write by chance."""
    return [secret[start : start + _PART] for start in range(3, len(secret) - _PART + 1)]


def follow_usage(port: int, payload: dict[str, Any]) -> None:
    """Opens a subscription, or is refused."""
    url = f"ws://127.0.0.1:{port}/graphql"
    query = "subscription { usageUpdated { cursor } }"
    protocol = Subprotocol("graphql-transport-ws")
    with connect(url, subprotocols=[protocol], open_timeout=_SECONDS) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        if json.loads(socket.recv(timeout=_SECONDS))["type"] == "connection_ack":
            request = {"id": "1", "type": "subscribe", "payload": {"query": query}}
            socket.send(json.dumps(request))
            socket.recv(timeout=_SECONDS)


def steps_of(system: System, organization: str) -> list[dict[str, Any]]:
    """What the worker has told of counting an organization's events, a step a line."""
    *whole, _rest = system.log_of(WORKERS[0]).split("\n")
    lines = [json.loads(line) for line in whole if line.startswith("{")]
    steps = [line for line in lines if line["event"] == "events counted"]
    return [line for line in steps if line["organization_id"] == organization]


def test_no_secret_in_any_line(chatty: System, tenant: Tenant) -> None:
    token = tenant.api.token
    wrong = token[:-4] + ("aaaa" if not token.endswith("aaaa") else "bbbb")
    event = {"name": "ai_usage", "externalCustomerId": "c1", "metadata": {"tokens": 1}}
    tenant.api.insist(INGEST, input={"events": [{**event, "externalId": "1"}]})
    leaked = {**event, "externalId": "leaked", "metadata": {"leaked": token}}
    tenant.api.insist(INGEST, input={"events": [leaked]})
    with pytest.raises(RefusedError):
        Api(chatty.port, wrong).ask(INGEST, input={"events": [event]})
    bearer = {"authorization": f"Bearer {token}"}
    post(chatty.port, f"/graphql?access_token={token}", "{}", **bearer)
    post(chatty.port, "/graphql", f'{{"query": "{token}', **bearer)
    post(chatty.port, f"/nowhere/{token}", "", cookie=f"session={token}")
    follow_usage(chatty.port, {"authorization": f"Bearer {token}"})
    with pytest.raises(Exception, match="received 4"):
        follow_usage(chatty.port, {"authorization": f"Bearer {wrong}"})
    tenant.drain()
    chatty.restart_postgres()
    tenant.api.insist(INGEST, input={"events": [{**event, "externalId": "2"}]})
    tenant.drain()

    organization = str(tenant.organization_id)

    def steps() -> list[dict[str, Any]]:
        return steps_of(chatty, organization)

    # A step is told of after its commit, which is all that `drain` waits for.
    wait_until(lambda: any(line["position"] == 3 for line in steps()), _SECONDS, "it is logged")
    logged = {name: chatty.log_of(name) for name in (API, WORKERS[0])}
    for name, text in logged.items():
        assert text, name
        for secret in (token, wrong):
            assert not [part for part in parts(secret) if part in text], name
    assert max(line["position"] for line in steps()) == 3
    assert all(line["seconds"] >= 0 for line in steps())
