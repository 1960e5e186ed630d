"""How many bytes of disk an event takes, with its indexes: as stored, and in a packed month."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import uuid_utils
from tortoise.connection import get_connection

from benchmarks.results import Result
from benchmarks.run import Run
from benchmarks.system import running_system
from config.clock import now
from metering.ingest.events import EventDraft
from metering.ingest.storing import IngestCall, InvalidEventPolicy, ingest
from metering.months import month_of
from metering.packing import pack_next
from models import exact_json

NAME = "disk"
_EVENTS = 300_000
_BATCH = 1_000
_ORGANIZATIONS = 3
_CUSTOMERS = 1_000
_NAMES = ("ai_usage", "api_call", "storage_used")
_SPAN = timedelta(days=28)
_AIM_BYTES = 500

_SIZES = r"""
SELECT CASE
           WHEN relname ~ '^event_key' THEN 'external ids: ' || relname
           WHEN relkind = 'i'
               THEN 'index ' || regexp_replace(relname, '^event_\d+_\d+_|_idx\d*$', '', 'g')
           ELSE 'rows'
       END AS part,
       sum(pg_relation_size(oid))::bigint AS bytes
FROM pg_class
WHERE relkind IN ('r', 'i') AND relname ~ '^event_(key|\d)'
GROUP BY part
"""


@dataclass(frozen=True)
class _Kind:
    """Events with metadata and external ids of some size."""

    name: str
    external_id: Callable[[int], str]
    metadata: Callable[[Random], dict[str, Any]]


def _tokens(chance: Random) -> dict[str, Any]:
    prompt, completion = chance.randrange(20_000), chance.randrange(4_000)
    return {
        "model": chance.choice(("gpt-4.1", "gpt-4.1-mini", "o3")),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _request(chance: Random) -> dict[str, Any]:
    return {
        **_tokens(chance),
        "kind": chance.choice(("input", "output")),
        "region": chance.choice(("eu-central-1", "us-east-1")),
        "request": chance.randbytes(12).hex(),
        "user": f"user-{chance.randrange(5_000)}",
    }


_KINDS = (
    _Kind("small", lambda number: f"call-{number:09}", _tokens),
    _Kind("large, UUIDs as external ids", lambda _number: str(uuid_utils.uuid7()), _request),
)


async def measure(run: Run) -> list[Result]:
    """Stores a past month in the order in which it happened, then packs its indexes."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    return [result for kind in _KINDS for result in await _measure(run, kind, count)]


async def _measure(run: Run, kind: _Kind, count: int) -> list[Result]:
    async with running_system(run.folder) as system:
        system.stop("worker")
        tenants = [await system.new_tenant(meters=0) for _ in range(_ORGANIZATIONS)]
        length = await _store([tenant.organization.id for tenant in tenants], kind, count)
        stored = await _sizes(count)
        while await pack_next() is not None:
            pass
        packed = await _sizes(count)
    total, packed_total = sum(stored.values()), sum(packed.values())
    return [
        Result(
            NAME,
            f"{kind.name}, {length:.0f} bytes of metadata: an event in a packed month",
            f"{packed_total:.0f} bytes",
            beside=f"{total:.0f} bytes as stored",
            ratio=f"{packed_total / total:.2f}",
            aim=f"≤ {_AIM_BYTES} bytes",
            met=packed_total <= _AIM_BYTES,
        ),
        *(
            Result(NAME, f"… {part}", f"{packed[part]:.0f} bytes", beside=f"{size:.0f} bytes")
            for part, size in sorted(stored.items())
        ),
    ]


async def _store(organizations: Sequence[UUID], kind: _Kind, count: int) -> float:
    """Returns the mean length of the metadata, as JSON."""
    chance = Random(secrets.token_hex(4))  # noqa: S311  # numbers, not secrets
    # A month that ended more than a week ago.
    start = month_of(month_of(now()) - timedelta(days=40))
    length = 0
    for first in range(0, count, _BATCH):
        drafts = [
            _draft(
                chance, kind, number, start + _SPAN * ((first + _BATCH * chance.random()) / count)
            )
            for number in range(first, first + _BATCH)
        ]
        call = IngestCall(drafts, InvalidEventPolicy.REJECT_BATCH)
        await ingest(chance.choice(organizations), [call])
        length += sum(len(draft.metadata) for draft in drafts)
    return length / count


def _draft(chance: Random, kind: _Kind, number: int, at: datetime) -> EventDraft:
    return EventDraft(
        name=chance.choice(_NAMES),
        customer_id=None,
        external_customer_id=f"customer-{chance.randrange(_CUSTOMERS)}",
        external_id=kind.external_id(number),
        timestamp=at,
        metadata=exact_json.dumps(kind.metadata(chance)),
    )


async def _sizes(events: int) -> dict[str, float]:
    """Bytes of each part for an event."""
    rows = await get_connection("default").execute_query_dict(_SIZES)
    return {row["part"]: row["bytes"] / events for row in rows}
