"""Which deliveries are due to an endpoint, and what came of them. Statements only.

One worker at a time sends to an endpoint: the one that holds its lease. It keeps the order of each
object in memory. If it is killed, its lease ends soon, and another worker sends what has no result.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tortoise.connection import get_connection

from models import exact_json
from webhooks.retries import DISABLED_AFTER_DAYS, DeliveryStatus, pause_after
from webhooks.sending import Attempt, Message

LEASE_SECONDS = 30
# The oldest attempts of a delivery that is sent again and again are forgotten.
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class LeasedEndpoint:
    """An endpoint as it is now. `secrets` are encrypted; the newest comes first."""

    organization_id: UUID
    id: UUID
    url: str
    secrets: tuple[str, ...]
    is_failing: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be tried. `tries` have failed before, within `elapsed` seconds.

    When it was loaded, its event was `age` seconds old, or its being sent again was asked for.
    `traceparent` is the span in which its event happened.
    """

    id: UUID
    object_id: UUID
    message: Message
    traceparent: str | None
    tries: int
    elapsed: float
    is_retried: bool
    age: float
    loaded_at: float = field(default_factory=time.monotonic)

    def seconds_since(self) -> float:
        """Returns the age of its event now."""
        return self.age + time.monotonic() - self.loaded_at


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try."""

    due: Due
    attempt: Attempt

    @property
    def pause(self) -> float | None:
        """The seconds until the next try; None if there is none."""
        if self.attempt.is_success or self.attempt.is_gone or not self.due.is_retried:
            return None
        return pause_after(self.due.tries + 1, self.due.elapsed)


async def endpoints_with_work(
    held: Collection[UUID], organization_id: UUID | None = None
) -> list[tuple[UUID, UUID]]:
    """Returns endpoints with something due, as (organization, endpoint).

    They are those that no worker has, and of the caller's own, `held`.
    """
    only = "" if organization_id is None else "AND endpoint.organization_id = $2"
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT organization_id, id FROM webhook_endpoint endpoint
        WHERE disabled_at IS NULL {only}
          AND (leased_until IS NULL OR leased_until < now() OR id = ANY($1::uuid[]))
          AND EXISTS (
              SELECT FROM webhook_delivery delivery
              WHERE delivery.organization_id = endpoint.organization_id
                AND delivery.endpoint_id = endpoint.id
                AND delivery.status = 'PENDING' AND delivery.next_attempt_at <= now()
          )
        """,
        [list(held), *([] if organization_id is None else [organization_id])],
    )
    return [(row["organization_id"], row["id"]) for row in rows]


async def take_lease(
    organization_id: UUID, endpoint_id: UUID, lease: UUID
) -> LeasedEndpoint | None:
    """Takes or renews the lease of an endpoint.

    None if another worker has it, or if the endpoint was disabled or deleted.
    """
    rows = await get_connection("default").execute_query_dict(
        f"""
        UPDATE webhook_endpoint
        SET lease = $3, leased_until = now() + interval '{LEASE_SECONDS} seconds'
        WHERE organization_id = $1 AND id = $2 AND disabled_at IS NULL
          AND (lease = $3 OR leased_until IS NULL OR leased_until < now())
        RETURNING organization_id, id, url, secret, previous_secret, failing_since,
                  coalesce(previous_secret_until > now(), false) AS is_rotating
        """,
        [organization_id, endpoint_id, lease],
    )
    if not rows:
        return None
    row = rows[0]
    previous = (row["previous_secret"],) if row["is_rotating"] else ()
    return LeasedEndpoint(
        row["organization_id"],
        row["id"],
        row["url"],
        (row["secret"], *previous),
        row["failing_since"] is not None,
    )


async def give_back_lease(endpoint: LeasedEndpoint, lease: UUID) -> None:
    """Lets another worker have the endpoint at once."""
    await get_connection("default").execute_query(
        """
        UPDATE webhook_endpoint SET lease = NULL, leased_until = NULL
        WHERE organization_id = $1 AND id = $2 AND lease = $3
        """,
        [endpoint.organization_id, endpoint.id, lease],
    )


async def load_due(
    endpoint: LeasedEndpoint, busy: Collection[UUID], limit: int
) -> tuple[list[Due], bool]:
    """Returns the first due delivery of each object that is not `busy`, and whether there is more.

    What waits for an earlier delivery of its object becomes due when that one does, so that a long
    backlog behind one failing delivery is looked at once for each of its tries.
    """
    connection = get_connection("default")
    rows = await connection.execute_query_dict(
        """
        WITH due AS (
            SELECT * FROM webhook_delivery
            WHERE organization_id = $1 AND endpoint_id = $2 AND status = 'PENDING'
              AND next_attempt_at <= now() AND object_id <> ALL($3::uuid[])
            ORDER BY next_attempt_at, sequence LIMIT $4
        )
        SELECT due.id, due.object_id, due.tries, event.id AS event_id, event.body, event.type,
               event.traceparent,
               extract(epoch FROM now() - due.tries_since)::float8 AS elapsed,
               extract(epoch FROM now() - CASE
                   WHEN due.tries_since > due.created_at THEN due.tries_since  -- sent again
                   ELSE event.created_at
               END)::float8 AS age,
               earlier.id AS earlier_id, earlier.next_attempt_at AS earlier_due_at
        FROM due
        JOIN outbox_event event ON event.organization_id = $1 AND event.id = due.event_id
        LEFT JOIN LATERAL (
            SELECT first.id, first.next_attempt_at FROM webhook_delivery first
            WHERE first.organization_id = $1 AND first.endpoint_id = $2
              AND first.object_id = due.object_id AND first.status = 'PENDING'
              AND first.sequence < due.sequence
            ORDER BY first.sequence LIMIT 1
        ) AS earlier ON true
        ORDER BY due.sequence
        """,
        [endpoint.organization_id, endpoint.id, list(busy), limit],
    )
    loaded = {row["id"] for row in rows}
    waiting = [row for row in rows if row["earlier_id"] not in {None, *loaded}]
    if waiting:
        await connection.execute_query(
            """
            UPDATE webhook_delivery AS delivery SET next_attempt_at = earlier.due_at
            FROM unnest($2::uuid[], $3::timestamptz[]) AS earlier (id, due_at)
            WHERE delivery.organization_id = $1 AND delivery.id = earlier.id
            """,
            [
                endpoint.organization_id,
                [row["id"] for row in waiting],
                [row["earlier_due_at"] for row in waiting],
            ],
        )
    due = [
        Due(
            row["id"],
            row["object_id"],
            Message(webhook_id(row["event_id"]), row["body"]),
            row["traceparent"],
            row["tries"],
            row["elapsed"],
            row["type"] != TEST_TYPE,
            row["age"],
        )
        for row in rows
        if row["earlier_id"] is None
    ]
    return due, len(rows) == limit


TEST_TYPE = "webhook.test"
"""The type of test events, which are tried once."""


def webhook_id(event_id: UUID) -> str:
    """Returns the id of the messages of an event: the same at every endpoint and in every try."""
    return f"msg_{event_id.hex}"


async def store_results(endpoint: LeasedEndpoint, results: Sequence[Result]) -> None:
    """Stores what came of tries, and disables an endpoint that is gone or has failed for days."""
    connection = get_connection("default")
    await connection.execute_query(
        f"""
        UPDATE webhook_delivery AS delivery
        SET status = result.status, tries = delivery.tries + 1,
            next_attempt_at = now() + make_interval(secs => result.pause),
            attempts = CASE
                WHEN jsonb_array_length(delivery.attempts) < {_ATTEMPTS} THEN delivery.attempts
                ELSE delivery.attempts - 0
            END || result.attempt
        FROM unnest($3::uuid[], $4::text[], $5::float8[], $6::jsonb[])
            AS result (id, status, pause, attempt)
        WHERE delivery.organization_id = $1 AND delivery.endpoint_id = $2
          AND delivery.id = result.id AND delivery.status = 'PENDING'
        """,
        [
            endpoint.organization_id,
            endpoint.id,
            *(list(column) for column in zip(*map(_row, results), strict=True)),
        ],
    )
    last = max((result.attempt for result in results), key=lambda attempt: attempt.at)
    if any(result.attempt.is_gone for result in results):
        await _note_failure(endpoint, "The endpoint answered 410 Gone.", is_gone=True)
    elif not last.is_success:
        await _note_failure(endpoint, last.error or "")
    elif endpoint.is_failing:
        await connection.execute_query(
            """
            UPDATE webhook_endpoint SET failing_since = NULL
            WHERE organization_id = $1 AND id = $2
            """,
            [endpoint.organization_id, endpoint.id],
        )


async def _note_failure(endpoint: LeasedEndpoint, error: str, *, is_gone: bool = False) -> None:
    await get_connection("default").execute_query(
        f"""
        UPDATE webhook_endpoint
        SET failing_since = coalesce(failing_since, now()),
            disabled_at = CASE
                WHEN $3 OR failing_since <= now() - interval '{DISABLED_AFTER_DAYS} days' THEN now()
            END,
            disabled_reason = CASE
                WHEN $3 THEN $4
                WHEN failing_since <= now() - interval '{DISABLED_AFTER_DAYS} days' THEN
                    'No delivery has succeeded for {DISABLED_AFTER_DAYS} days. The last one: ' || $4
            END
        WHERE organization_id = $1 AND id = $2 AND disabled_at IS NULL
        """,
        [endpoint.organization_id, endpoint.id, is_gone, error],
    )


def _row(result: Result) -> tuple[UUID, str, float | None, str]:
    attempt, pause = result.attempt, result.pause
    if attempt.is_success:
        status = DeliveryStatus.DELIVERED
    else:
        status = DeliveryStatus.FAILED if pause is None else DeliveryStatus.PENDING
    stored = {
        "at": attempt.at.isoformat(),
        "status": attempt.status,
        "milliseconds": attempt.milliseconds,
        "error": attempt.error,
    }
    return result.due.id, status.value, pause, exact_json.dumps(stored)
