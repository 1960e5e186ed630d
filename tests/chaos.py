"""Kills what can be killed, under load, and then holds every number against the raw events.

    python -m tests.chaos [--seconds 120] [--seed 7]

Four clients send events over HTTP and send again what was not acknowledged, three workers count.
Every second a worker or the API is killed; Redis is emptied, and stopped for five seconds;
PostgreSQL is restarted, and killed; meters are made, archived and taken back. At the end
everything must be as if nothing had happened: every acknowledged event stored once, every meter
what Python makes of the raw events, no batch pending.
"""

import argparse
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.clients import IngestingClient
from tests.faults.exactness import assert_stored_once
from tests.faults.system import API, WORKERS, System, running_system
from tests.faults.tenant import Tenant, make_tenant

_SECOND = 1.0
_FINISH_SECONDS = 180.0
_CREATE = """
mutation Create($input: MeterCreateInput!) {
  meterCreate(input: $input) { meter { id } userErrors { message } }
}
"""
_ARCHIVE = """
mutation Archive($input: MeterArchiveInput!) {
  meterArchive(input: $input) { userErrors { message } }
}
"""
_UNARCHIVE = _ARCHIVE.replace("meterArchive(", "meterUnarchive(")


@dataclass
class Chaos:
    """What is done to a system, a fault at a time; `survived` counts the faults of each kind."""

    tenant: Tenant
    chance: random.Random
    redis_seconds: float
    survived: Counter[str] = field(default_factory=Counter)
    _redis_returns: float | None = None
    _archived: str | None = None

    @property
    def system(self) -> System:
        """The system under test."""
        return self.tenant.system

    def second(self) -> None:
        """A second of it: something is killed and started again, and maybe something else."""
        began = time.monotonic()
        self._kill()
        if self._redis_returns is not None and began >= self._redis_returns:
            self.system.start_redis()
            self._redis_returns = None
        other = self.chance.choice(self._others())
        if other is not None:
            other()
        time.sleep(max(0.0, _SECOND - (time.monotonic() - began)))

    def end(self) -> None:
        """Lets everything run again."""
        self.system.start_redis()
        self.system.start(API, *WORKERS)
        if self._archived is not None:
            self._change_meter()

    def _others(self) -> Sequence[Callable[[], None] | None]:
        usual: list[Callable[[], None] | None] = [
            self._restart_postgres,
            self._crash_postgres,
            self._change_meter,
            None,
        ]
        return usual if self._redis_returns else [*usual, self._empty_redis, self._stop_redis]

    def _kill(self) -> None:
        name = self.chance.choice([API, *WORKERS])
        if self.system.processes[name].poll() is None:
            self.system.kill(name)
            self.survived["API killed" if name == API else "worker killed"] += 1
        self.system.start(API, *WORKERS)

    def _empty_redis(self) -> None:
        self.system.empty_redis()
        self.survived["Redis emptied"] += 1

    def _stop_redis(self) -> None:
        self.system.stop_redis()
        self._redis_returns = time.monotonic() + self.redis_seconds
        self.survived["Redis stopped"] += 1

    def _restart_postgres(self) -> None:
        self.system.restart_postgres()
        self.survived["PostgreSQL restarted"] += 1

    def _crash_postgres(self) -> None:
        self.system.crash_postgres()
        self.survived["PostgreSQL killed"] += 1

    def _change_meter(self) -> None:
        """Makes and archives a meter, or takes back the one that was archived."""
        if self._archived is None:
            input_ = {
                "name": "Chaos",
                "filter": {"clauses": []},
                "aggregation": {"function": "UNIQUE", "property": "tokens"},
            }
            created, _ = self.tenant.api.insist(_CREATE, input=input_)
            self._archived = created["meterCreate"]["meter"]["id"]
            self.tenant.api.insist(_ARCHIVE, input={"id": self._archived})
            self.survived["meter made and archived"] += 1
        else:
            self.tenant.api.insist(_UNARCHIVE, input={"id": self._archived})
            self._archived = None
            self.survived["meter taken back"] += 1


def run(seconds: float, seed: int, redis_seconds: float = 5.0) -> str:
    """Does it, and tells what happened.

    Raises:
        AssertionError: something was lost, doubled, or counted wrongly.
    """
    with running_system(durable=True) as system:
        system.start(API, *WORKERS)
        tenant = system.run(lambda: make_tenant(system))
        chaos = Chaos(tenant, random.Random(seed), redis_seconds)
        # The last two send the same, so that each is the other's rival.
        clients = [IngestingClient(tenant.api, max(number, 1)) for number in range(4)]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            chaos.second()
        chaos.end()
        for client in clients:
            client.finish(_FINISH_SECONDS)
        began = time.monotonic()
        tenant.drain()
        drained = time.monotonic() - began
        acknowledged = {
            external_id: sent
            for client in clients
            for external_id, sent in client.acknowledged.items()
        }
        system.run(lambda: assert_stored_once(tenant.organization_id, acknowledged.values()))
        stored = tenant.assert_exact()
        assert stored == len(acknowledged), "events that nobody was told of"
        assert all(process.poll() is None for process in system.processes.values())
    retries = sum((client.failures for client in clients), start=Counter[str]())
    return _report(chaos.survived, stored, retries, drained)


def _report(survived: Counter[str], stored: int, retries: Counter[str], drained: float) -> str:
    lines = [f"{count:>8,} times {fault}" for fault, count in sorted(survived.items())]
    causes = ", ".join(f"{cause} {count:,}" for cause, count in retries.most_common())
    return "\n".join(
        [
            "Survived:",
            *lines,
            f"{stored:>8,} events acknowledged, each stored once and counted exactly",
            f"{retries.total():>8,} requests sent again ({causes or 'none'})",
            f"{drained:>8.1f} seconds until the rest was counted",
        ]
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="how long (default 120)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    arguments = parser.parse_args()
    sys.stdout.write(f"Seed {arguments.seed}, {arguments.seconds:.0f} seconds.\n")
    sys.stdout.write(run(arguments.seconds, arguments.seed) + "\n")


if __name__ == "__main__":
    main()
