"""Takes the texts about a customer out of the audit log when the customer is erased.

Who changed what, and when, stays; so do ids, numbers, instants and names of enum values.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from models import exact_json
from schema.audit_log.shown_input import shown_input
from schema.ids import encode_id

ERASED = "[erased]"
_ID = re.compile(r"(?:id|ids|[a-z]+(?:[A-Z][a-z]+)*Ids?)")
_OF_CALLER = frozenset({"externalId", "externalCustomerId", "idempotencyKey"})
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|[A-Z][A-Z_]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]+")
_NAMES = frozenset({"name", "email", "reason", "reference"})


async def erase_from_entries(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID, external_id: str | None
) -> None:
    """Erases the texts in entries about a customer, or whose input names it by one of its ids."""
    rows = await connection.execute_query_dict(
        """
        SELECT id, input FROM audit_entry
        WHERE organization_id = $1 AND (
            id IN (
                SELECT id FROM audit_entry_object
                WHERE organization_id = $1 AND object_type = 'Customer' AND object_id = $2
            )
            OR jsonb_path_exists(
                input, '$.**.externalCustomerId ? (@ == $text)',
                jsonb_build_object('text', $3::text)
            )
            OR jsonb_path_exists(
                input, '$.**.customerId ? (@ == $text)', jsonb_build_object('text', $4::text)
            )
        )
        """,
        [organization_id, customer_id, external_id, encode_id("Customer", customer_id)],
    )
    await connection.execute_query(
        """
        UPDATE audit_entry SET input = erased.input::jsonb, erased_at = statement_timestamp()
        FROM unnest($2::uuid[], $3::text[]) AS erased (id, input)
        WHERE audit_entry.organization_id = $1 AND audit_entry.id = erased.id
        """,
        [
            organization_id,
            [row["id"] for row in rows],
            [exact_json.dumps(_erased("", exact_json.loads(row["input"]))) for row in rows],
        ],
    )


def input_without_texts(sent: Any) -> dict[str, Any]:
    """Returns the input of a mutation that erases, as its own entry shows it."""
    shown: dict[str, Any] = _erased("", shown_input(sent))
    return shown


def _erased(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _erased(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_erased(name, item) for item in value]
    if not isinstance(value, str):
        return value
    is_id = _ID.fullmatch(name) and name not in _OF_CALLER
    is_plain = _PLAIN.fullmatch(value) and name not in _OF_CALLER | _NAMES
    return value if is_id or is_plain else ERASED
