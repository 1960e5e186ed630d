"""A backup that is taken under load is restored elsewhere, and every number is right there."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from metering.audit.rounds import audit_step, audits_due
from tests.commands import environment_of, run_command
from tests.faults.backups import (
    Backup,
    Restore,
    backed_up,
    base_backup,
    dump,
    load_dump,
    start_copy,
)
from tests.faults.clients import INGEST, Api, IngestingClient
from tests.faults.exactness import assert_stored_once, stored_events
from tests.faults.shop import Shop, open_for_business, open_shop
from tests.faults.system import API, WORKERS, System, running_system, wait_until
from tests.faults.tenant import Tenant

pytestmark = pytest.mark.servers

_SECONDS = 120.0
EVENTS = "eventsFollowed"
USAGE = "usageUpdated"
_MANY = 300  # more than there are customer meters, so the last one is a change


def updates(api: Api, field: str, after: str | None, count: int) -> list[dict[str, Any]]:
    """The first answers of a subscription, over HTTP."""
    query = f"subscription ($after: String) {{ {field}(after: $after) {{ cursor }} }}"
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=_SECONDS)) as connection:
        connection.request(
            "POST",
            "/graphql",
            json.dumps({"query": query, "variables": {"after": after}}),
            {
                "accept": "text/event-stream",
                "content-type": "application/json",
                "authorization": f"Bearer {api.token}",
            },
        )
        response = connection.getresponse()
        found: list[dict[str, Any]] = []
        while len(found) < count:
            line = response.readline()
            assert line, "the stream has ended"
            _, _, data = line.partition(b"data:")
            if data.strip():
                found.append(json.loads(data))
        return found


def cursor(api: Api, field: str, count: int = 1, after: str | None = None) -> str:
    """The cursor of the last of so many updates."""
    last: str = updates(api, field, after, count)[-1]["data"][field]["cursor"]
    return last


def code(api: Api, field: str, after: str) -> str | None:
    """The code with which a cursor is refused; None if there is an update after it."""
    (answer,) = updates(api, field, after, 1)
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None


@dataclass
class Load:
    """What goes on in a system: clients send events, and customers are billed."""

    tenant: Tenant
    shop: Shop
    clients: list[IngestingClient]

    def acknowledged(self) -> dict[str, dict[str, Any]]:
        return {
            external_id: sent
            for client in self.clients
            # In one step, because its thread adds more meanwhile.
            for external_id, sent in client.acknowledged.copy().items()
        }


@contextmanager
def loaded(tenant: Tenant) -> Iterator[Load]:
    system = tenant.system
    system.start(API, *WORKERS[:2])
    shop, owner = system.run(lambda: open_shop(system))
    open_for_business(owner)
    # All that they send is counted here, dumped, restored and audited.
    clients = [IngestingClient(tenant.api, number, longest_pause=0.5) for number in range(2)]
    for client in clients:
        client.start()
    yield Load(tenant, shop, clients)
    for client in clients:
        client.finish(_SECONDS)


def audited_drifts(system: System, load: Load) -> int:
    """How many cached numbers an audit of both organizations finds wrong."""

    async def work() -> int:
        await audits_due(datetime.now(UTC))
        drifts = 0
        for organization_id in (load.tenant.organization_id, load.shop.organization_id):
            step = await audit_step(organization_id)
            while not step.is_last:
                drifts += step.drifts
                step = await audit_step(organization_id)
            drifts += step.drifts
        return drifts

    return system.run(work)


def run(system: System, command: str, directory: Path) -> None:
    done = run_command(command, environment=environment_of(system.settings), directory=directory)
    assert done.code == 0, done


@pytest.mark.parametrize(
    ("backup", "restore"),
    [
        pytest.param(dump, load_dump, id="dump"),
        pytest.param(base_backup, start_copy, id="files", marks=pytest.mark.slow),
    ],
)
def test_a_backup_under_load_is_whole_and_its_subscribers_are_told(
    system: System, tenant: Tenant, tmp_path: Path, backup: Backup, restore: Restore
) -> None:
    api = tenant.api
    with loaded(tenant) as load:
        load.shop.use()
        load.shop.month()
        old = {EVENTS: cursor(api, EVENTS), USAGE: cursor(api, USAGE)}
        before = load.acknowledged()
        with backed_up(backup, system, tmp_path / "backup"):
            load.shop.use()
            load.shop.month()
        load.shop.use()
        load.shop.month()
        counted = len(load.acknowledged())
        wait_until(lambda: len(load.acknowledged()) > counted + 100, _SECONDS, "more is sent")
        lost = {EVENTS: cursor(api, EVENTS), USAGE: cursor(api, USAGE, _MANY, old[USAGE])}
    system.stop()

    with running_system(restore=lambda servers: restore(tmp_path / "backup", servers)) as restored:
        run(restored, "migrate", tmp_path)
        run(restored, "restored", tmp_path)
        restored.start(API, *WORKERS[:2])
        tenant = Tenant(restored, tenant.organization_id, replace(api, port=restored.port))
        shop = replace(load.shop, system=restored)
        tenant.drain()

        kept = {
            str(event.external_id)
            for event in restored.run(lambda: stored_events(tenant.organization_id))
        }
        assert set(before) <= kept < set(load.acknowledged())
        assert tenant.assert_exact() == len(kept)
        assert audited_drifts(restored, load) == 0
        for field, gone in lost.items():
            assert code(tenant.api, field, gone) == "CURSOR_EXPIRED"

        # The log reaches the same numbers again, with other events.
        for event in load.acknowledged().values():
            if event["externalId"] not in kept:
                tenant.api.ask(INGEST, input={"events": [event]})
        shop.send_again()
        tenant.drain()
        everything = load.acknowledged().values()
        restored.run(lambda: assert_stored_once(tenant.organization_id, everything))
        assert tenant.assert_exact() == len(everything)
        shop.assert_billed()
        assert audited_drifts(restored, load) == 0
        for field, gone in lost.items():
            assert code(tenant.api, field, gone) == "CURSOR_EXPIRED"
            assert code(tenant.api, field, old[field]) is None
