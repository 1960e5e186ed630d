"""Drift: cached usage that differs from the events. It is stored, logged and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient

from models import exact_json
from models.identifiers import new_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drift:
    """A cached aggregate that differs from the true one in the columns of `differences`.

    The aggregate is a bucket's or, if `bucket` is None, that of the customer's current period. A
    bucket by dimension has a `combination`.
    `cached` and `recomputed` are quantities.
    """

    meter_id: UUID
    customer_id: UUID
    bucket: datetime | None
    cached: Decimal | None
    recomputed: Decimal | None
    differences: dict[str, dict[str, Any]]
    combination: int | None = None


async def note_drifts(
    connection: BaseDBAsyncClient, organization_id: UUID, drifts: Sequence[Drift]
) -> None:
    """Stores and logs what an audit found, in the transaction that repairs it."""
    await connection.execute_query_dict(
        """
        INSERT INTO usage_drift (
            organization_id, id, meter_id, customer_id, bucket, cached, recomputed, differences,
            combination, found_at
        )
        SELECT $1, found.id, found.meter_id, found.customer_id, found.bucket, found.cached,
               found.recomputed, found.differences::jsonb, found.combination, now()
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::numeric[], $7::numeric[],
            $8::text[], $9::smallint[]
        ) AS found (
            id, meter_id, customer_id, bucket, cached, recomputed, differences, combination
        )
        RETURNING 1
        """,
        [
            organization_id,
            [new_id() for _ in drifts],
            [drift.meter_id for drift in drifts],
            [drift.customer_id for drift in drifts],
            [drift.bucket for drift in drifts],
            [drift.cached for drift in drifts],
            [drift.recomputed for drift in drifts],
            [exact_json.dumps(drift.differences) for drift in drifts],
            [drift.combination for drift in drifts],
        ],
    )
    for drift in drifts:
        _log.error(
            "cached usage had drifted and was repaired",
            organization_id=str(organization_id),
            meter_id=str(drift.meter_id),
            customer_id=str(drift.customer_id),
            bucket=None if drift.bucket is None else drift.bucket.isoformat(),
            combination=drift.combination,
            cached=None if drift.cached is None else format(drift.cached, "f"),
            recomputed=None if drift.recomputed is None else format(drift.recomputed, "f"),
        )


def differences(row: dict[str, Any], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Finds the differences between the `cached_…` and `true_…` columns of a row, for JSON."""
    return {
        column: {"cached": _plain(row[f"cached_{column}"]), "true": _plain(row[f"true_{column}"])}
        for column in columns
        if row[f"cached_{column}"] != row[f"true_{column}"]
    }


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
