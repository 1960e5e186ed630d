"""Clients that send the same thing, or another thing under the same id, at the same moment."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.clients import INGEST, event
from tests.faults.conftest import Tenant
from tests.faults.system import System

pytestmark = pytest.mark.servers

_ROUNDS = 10


def at_once(tenant: Tenant, batches: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Sends batches from as many clients at the same moment; gives the receipts of each."""

    def receipts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        data, _failures = tenant.api.insist(INGEST, input={"events": events})
        found: list[dict[str, Any]] = data["eventsIngest"]["receipts"]
        return found

    with ThreadPoolExecutor(len(batches)) as clients:
        return list(clients.map(receipts, batches))


def test_a_batch_sent_twice_at_once(whole_system: System, tenant: Tenant) -> None:
    chance = random.Random(1)
    for attempt in range(_ROUNDS):
        batch = [event(chance, f"{attempt}-{number}") for number in range(50)]
        answers = at_once(tenant, [batch, batch])
        for pair in zip(*answers, strict=True):
            assert sorted(receipt["status"] for receipt in pair) == ["DUPLICATE", "INSERTED"]
            assert len({receipt["eventId"] for receipt in pair}) == 1
    tenant.drain()
    assert tenant.assert_exact() == _ROUNDS * 50


def test_one_external_id_with_other_content_at_once(whole_system: System, tenant: Tenant) -> None:
    chance = random.Random(2)
    for attempt in range(_ROUNDS):
        rivals = [[{**event(chance, f"{attempt}"), "metadata": {"by": by}}] for by in range(4)]
        answers = [receipts[0] for receipts in at_once(tenant, rivals)]
        statuses = Counter(answer["status"] for answer in answers)
        assert statuses == {"INSERTED": 1, "CONFLICT": 3}
        assert len({answer["eventId"] for answer in answers}) == 1
    tenant.drain()
    assert tenant.assert_exact() == _ROUNDS
