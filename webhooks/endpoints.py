"""Creates and changes endpoints, and sends them test events and old deliveries again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from config import clock
from config.settings import get_settings
from metering.live.after_commit import emit
from metering.live.outbox import OutboxType
from metering.live.wakeup import DELIVER_WEBHOOKS, Wake
from metering.problems import Problem, RefusedError, problem, refuse_any
from metering.texts import NAME, name_problems
from models import WebhookDelivery, WebhookEndpoint
from models.identifiers import new_id
from webhooks.addresses import AddressError, check_url
from webhooks.due import TEST_TYPE
from webhooks.fan_out import body_of, insert_deliveries
from webhooks.secrets import SecretKeyError, encrypted, new_secret

_log = structlog.get_logger(__name__)

MOST_ENDPOINTS = 20
MOST_OVERLAP_HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """Changes to an endpoint; None leaves a value as it is. `sets_description` allows null."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    sets_description: bool = False
    description: str | None = None
    is_enabled: bool | None = None


async def create_endpoint(
    organization_id: UUID, url: str, event_types: Sequence[str], description: str | None
) -> tuple[WebhookEndpoint, str]:
    """Creates an endpoint. Returns it with its secret, which is shown only now.

    Raises:
        RefusedError: the input is invalid, the organization has too many endpoints, or the server
            has no key for secrets.
    """
    changes = EndpointChanges(url, event_types, sets_description=True, description=description)
    refuse_any(_problems(changes))
    secret = new_secret()
    stored = _encrypted(secret)
    async with in_transaction() as connection:
        # Locked, so that two at once cannot exceed the limit.
        await connection.execute_query(
            "SELECT FROM organization WHERE id = $1 FOR NO KEY UPDATE", [organization_id]
        )
        existing = WebhookEndpoint.filter(organization_id=organization_id).using_db(connection)
        if await existing.count() >= MOST_ENDPOINTS:
            message = f"An organization can have at most {MOST_ENDPOINTS} webhook endpoints."
            raise RefusedError(problem("LIMIT_EXCEEDED", message))
        row = await WebhookEndpoint.create(
            organization_id=organization_id,
            url=url,
            description=description,
            event_types=_distinct(event_types),
            secret=stored,
            created_at=clock.now(),
            using_db=connection,
        )
    return row, secret


async def update_endpoint(
    organization_id: UUID, endpoint_id: UUID, changes: EndpointChanges
) -> WebhookEndpoint:
    """Changes, disables or enables an endpoint. Raises RefusedError."""
    refuse_any(_problems(changes))
    values: dict[str, Any] = {}
    if changes.url is not None:
        values["url"] = changes.url
    if changes.event_types is not None:
        values["event_types"] = _distinct(changes.event_types)
    if changes.sets_description:
        values["description"] = changes.description
    async with in_transaction() as connection:
        row = await _locked(connection, organization_id, endpoint_id)
        if changes.is_enabled is True:
            values |= {"disabled_at": None, "disabled_reason": None, "failing_since": None}
        elif changes.is_enabled is False and row.disabled_at is None:
            values |= {"disabled_at": clock.now(), "disabled_reason": None}
        await _store(connection, row, values)
        emit(connection, Wake(DELIVER_WEBHOOKS, organization_id))
        return row


async def rotate_secret(
    organization_id: UUID, endpoint_id: UUID, overlap_hours: int
) -> tuple[WebhookEndpoint, str]:
    """Gives an endpoint a new secret. The old one signs too, for `overlap_hours`.

    Returns the endpoint with its new secret. Raises RefusedError.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        message = f"overlapHours must be from 0 to {MOST_OVERLAP_HOURS}."
        raise RefusedError(problem("INVALID", message, "overlapHours"))
    secret = new_secret()
    stored = _encrypted(secret)
    async with in_transaction() as connection:
        row = await _locked(connection, organization_id, endpoint_id)
        await connection.execute_query(
            """
            UPDATE webhook_endpoint
            SET secret = $3, previous_secret = CASE WHEN $4 > 0 THEN secret END,
                previous_secret_until = now() + make_interval(hours => $4::int)
            WHERE organization_id = $1 AND id = $2
            """,
            [organization_id, endpoint_id, stored, overlap_hours],
        )
        return row, secret


async def delete_endpoint(organization_id: UUID, endpoint_id: UUID) -> None:
    """Deletes an endpoint with its deliveries. Raises RefusedError."""
    async with in_transaction() as connection:
        row = await _locked(connection, organization_id, endpoint_id)
        await connection.execute_query(
            "DELETE FROM webhook_endpoint WHERE organization_id = $1 AND id = $2",
            [organization_id, row.id],
        )


async def send_test(
    organization_id: UUID, endpoint_id: UUID, data: dict[str, Any]
) -> WebhookDelivery:
    """Sends a test event with `data` to an endpoint, whatever types it wants, once.

    Raises RefusedError if there is no such endpoint, or if it is disabled.
    """
    async with in_transaction() as connection:
        await _locked(connection, organization_id, endpoint_id, is_enabled=True)
        event_id, object_id, delivery_id = new_id(), new_id(), new_id()
        rows = await connection.execute_query_dict(
            """
            INSERT INTO outbox_event (organization_id, id, type, object_id, body, created_at)
            VALUES ($1, $2, $3, $4, $5, statement_timestamp())
            RETURNING sequence
            """,
            [
                organization_id,
                event_id,
                TEST_TYPE,
                object_id,
                body_of(TEST_TYPE, clock.now(), data),
            ],
        )
        made = (delivery_id, endpoint_id, event_id, object_id, rows[0]["sequence"])
        await insert_deliveries(connection, organization_id, [made])
        emit(connection, Wake(DELIVER_WEBHOOKS, organization_id))
        return await WebhookDelivery.get(
            organization_id=organization_id, id=delivery_id, using_db=connection
        )


async def resend(organization_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Sends a delivery again: the same message, with all its tries before it.

    Raises RefusedError if there is no such delivery, or if its endpoint is disabled.
    """
    async with in_transaction() as connection:
        row = await WebhookDelivery.get_or_none(
            organization_id=organization_id, id=delivery_id, using_db=connection
        )
        if row is None:
            message = "There is no delivery with this id."
            raise RefusedError(problem("NOT_FOUND", message, "id"))
        await _locked(connection, organization_id, row.endpoint_id, is_enabled=True)
        await connection.execute_query(
            """
            UPDATE webhook_delivery
            SET status = 'PENDING', tries = 0, tries_since = now(), next_attempt_at = now()
            WHERE organization_id = $1 AND id = $2
            """,
            [organization_id, delivery_id],
        )
        emit(connection, Wake(DELIVER_WEBHOOKS, organization_id))
        return await WebhookDelivery.get(
            organization_id=organization_id, id=delivery_id, using_db=connection
        )


async def _locked(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    endpoint_id: UUID,
    *,
    is_enabled: bool = False,
) -> WebhookEndpoint:
    row = (
        await WebhookEndpoint.filter(organization_id=organization_id, id=endpoint_id)
        .using_db(connection)
        .select_for_update()
        .first()
    )
    if row is None:
        message = "There is no webhook endpoint with this id."
        raise RefusedError(problem("NOT_FOUND", message, "id"))
    if is_enabled and row.disabled_at is not None:
        raise RefusedError(problem("INVALID", "The endpoint is disabled. Enable it first.", "id"))
    return row


async def _store(
    connection: BaseDBAsyncClient, row: WebhookEndpoint, values: dict[str, Any]
) -> None:
    if values:
        found = WebhookEndpoint.filter(organization_id=row.organization_id, id=row.id)
        await found.using_db(connection).update(**values)
        row.update_from_dict(values)


def _problems(changes: EndpointChanges) -> list[Problem]:
    found: list[Problem] = []
    if changes.url is not None:
        try:
            check_url(changes.url, allow_insecure=get_settings().webhook_allow_insecure)
        except AddressError as error:
            found.append(problem("INVALID", f"url {error}", "url"))
    if changes.description is not None:
        found += name_problems(changes.description, NAME, "description")
    known = {type_.value for type_ in OutboxType}
    for index, type_ in enumerate(changes.event_types or ()):
        if type_ not in known:
            message = f"eventTypes[{index}] is not a type of event; the documentation lists them."
            found.append(problem("INVALID", message, "eventTypes", index))
    return found[: len(known)]


def _distinct(types: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(types))


def _encrypted(secret: str) -> str:
    try:
        return encrypted(secret)
    except SecretKeyError as error:
        _log.error("a webhook cannot be created", reason=str(error))
        raise RefusedError(problem("INVALID", str(error))) from None
