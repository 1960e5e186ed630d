"""Writes entries of the audit log, each in the transaction of the change."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from models import exact_json
from models.identifiers import new_id
from schema.context import Context, TokenIdentity
from schema.ids import Node, split_id

# What an object belongs to, by the attributes of the API's types. The history of a customer has
# entries about its subscriptions, for example.
_OWNERS = {
    "customer_key": "Customer",
    "subscription_key": "CustomerSubscription",
    "invoice_key": "Invoice",
}


class ActorKind(StrEnum):
    """How somebody made a change."""

    TOKEN = "TOKEN"  # noqa: S105  # no secret
    BROWSER = "BROWSER"
    COMMAND_LINE = "COMMAND_LINE"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change: a token by its id, or an account of the machine by its name."""

    kind: ActorKind
    token_id: UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AuditedObject:
    """An object that a change is about, by its type in the API."""

    type_name: str
    id: UUID


def actor_of(context: Context) -> Actor:
    """Returns who makes the changes of a request."""
    identity = context.identity
    if not isinstance(identity, TokenIdentity):
        raise TypeError("a customer's session cannot change anything")
    credential = context.credential
    is_browser = credential is not None and credential.client is not None
    return Actor(ActorKind.BROWSER if is_browser else ActorKind.TOKEN, identity.token_id)


def objects_of(payload: Any) -> list[AuditedObject]:
    """Returns what a mutation's payload shows as changed, then what that belongs to.

    The first one is the object of the entry. A payload that only counts what was changed names it
    in its private attribute `audited`.
    """
    values = [getattr(payload, field.name) for field in dataclasses.fields(payload)]
    nodes = [value for value in values if isinstance(value, Node)]
    deleted = getattr(payload, "deleted_id", None)
    ids = [node.id for node in nodes] if deleted is None else [deleted]
    changed = [AuditedObject(*found) for one in ids if (found := split_id(one)) is not None]
    audited = getattr(payload, "audited", ())
    return list(dict.fromkeys([*changed, *_owners(nodes), *audited]))


def _owners(nodes: Iterable[Node]) -> Iterator[AuditedObject]:
    for node in nodes:
        for attribute, type_name in _OWNERS.items():
            key = getattr(node, attribute, None)
            if key is not None:
                yield AuditedObject(type_name, key)


async def write_entry(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    actor: Actor,
    action: str,
    objects: list[AuditedObject],
    sent: Mapping[str, Any],
) -> None:
    """Writes an entry in the transaction of `connection`. `sent` must be without secrets."""
    first = objects[0] if objects else None
    await connection.execute_query(
        """
        WITH entry AS (
            INSERT INTO audit_entry (
                organization_id, id, at, actor_kind, actor, token_id, action,
                object_type, object_id, input
            )
            SELECT $1::uuid, $2::uuid, clock_timestamp(), $3,
                   coalesce(
                       $4, (SELECT name FROM access_token WHERE organization_id = $1 AND id = $5)
                   ),
                   $5, $6, $7, $8, $9
            RETURNING at
        )
        INSERT INTO audit_entry_object (organization_id, object_type, object_id, at, id)
        SELECT $1, about.*, entry.at, $2
        FROM entry CROSS JOIN unnest($10::text[], $11::uuid[]) AS about
        """,
        [
            organization_id,
            new_id(),
            actor.kind.value,
            actor.name,
            actor.token_id,
            action,
            first and first.type_name,
            first and first.id,
            exact_json.dumps(sent),
            [one.type_name for one in objects],
            [one.id for one in objects],
        ],
    )
