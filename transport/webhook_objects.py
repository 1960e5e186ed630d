"""Renders the objects of webhooks: each as `node(id:)` answers it to a token with all scopes.

The selection follows from the schema, so a field that is added to a type is in its webhooks too:

- the object's own fields, and objects without an id below it, such as the lines of an invoice;
- of a related object with an id, such as the customer, only its own plain fields;
- no lists with pages, no field with arguments, and none that shows more than the object's own row
  (one that has a permission of its own), except those in _ALSO.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from metering.live.outbox import OutboxType
from resolvers.queries.nodes import NODE_TYPES
from resolvers.schema import MetergraphSchema
from schema.context import Context, Scope, Services, TokenIdentity
from schema.ids import NO_KEY, encode_id
from schema.permissions import Requires
from transport.limits import Limits
from waiting.outages import OutageError
from webhooks.fan_out import Happened

_log = structlog.get_logger(__name__)

_TYPES = {
    "customer": "Customer",
    "subscription": "CustomerSubscription",
    "invoice": "Invoice",
    "credit_note": "CreditNote",
    "credit": "CreditEntry",
    "alert": "AlertTrigger",
    "meter": "Meter",
    "organization": "Organization",
}
_TYPES_OF_EVENTS = {OutboxType.CREDIT_VOIDED.value: "CreditGrant"}
# Fields with a permission of their own that webhooks show: why a meter fails, whose alert it was.
_ALSO = {("Meter", "progress"), ("AlertTrigger", "customer")}
_DEPTH = 8  # filters are nested
_UNLIMITED = Limits(cost=10**12, depth=100, selections=10**6, tokens=10**6)


class WebhookObjects:
    """Renders objects with a schema of its own, which has no limit on costs."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def render(self, organization_id: UUID, events: Sequence[Happened]) -> list[Any]:
        """Returns the object of each event. One that was deleted has only its id.

        Raises:
            OutageError: the database is away.
        """
        await asyncio.to_thread(_schema)  # making it takes a second, the first time
        found: dict[str, Any] = {}
        wanted: dict[str, set[str]] = {}
        ids = []
        for event in events:
            name = type_name(event.type)
            ids.append(encode_id(name, event.object_id))
            wanted.setdefault(name, set()).add(ids[-1])
        for name, ids_of_type in wanted.items():
            found |= await self._render(organization_id, name, list(ids_of_type))
        return [found[id_] for id_ in ids]

    async def _render(
        self, organization_id: UUID, name: str, ids: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Returns the objects of one type, by id."""
        caller = TokenIdentity(organization_id, NO_KEY, frozenset({Scope.ADMIN}))
        result = await _schema().execute(
            document(name),
            variable_values={"ids": ids},
            context_value=Context(self._services, caller),
        )
        for error in result.errors or ():
            if "retryable" in (error.extensions or {}):
                raise OutageError(error.message)
            _log.error("an object of a webhook cannot be shown", reason=error.message)
        if result.data is None:
            raise RuntimeError(f"the objects of webhooks cannot be shown: {result.errors}")
        nodes = zip(ids, result.data["nodes"], strict=True)
        return {id_: node or {"id": id_} for id_, node in nodes}


def type_name(event_type: str) -> str:
    """Returns the API's type of the object of an event."""
    return _TYPES_OF_EVENTS.get(event_type) or _TYPES[event_type.partition(".")[0]]


@cache
def document(name: str) -> str:
    """Returns the query for objects of a type."""
    if name not in NODE_TYPES:
        return "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    own = _own(_schema()._schema.type_map[name], (name,))  # noqa: SLF001  # Strawberry offers no other way
    return f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {name} {own} }} }}"


@cache
def _schema() -> MetergraphSchema:
    return MetergraphSchema(_UNLIMITED)


def _own(type_: Any, path: tuple[str, ...]) -> str:
    """Selects an object's own fields, and what is below it."""
    if isinstance(type_, GraphQLUnionType):
        below = [f"... on {one.name} {_own(one, (*path, one.name))}" for one in type_.types]
        return f"{{ __typename {' '.join(below)} }}"
    chosen = []
    for name, field in type_.fields.items():
        if not _is_shown(type_.name, name, field):
            continue
        named = get_named_type(field.type)
        if is_leaf_type(named):
            chosen.append(name)
        elif _has_id(named):
            chosen.append(f"{name} {_plain(named)}")
        elif len(path) < _DEPTH:
            chosen.append(f"{name} {_own(named, (*path, named.name))}")
    return f"{{ {' '.join(chosen)} }}"


def _plain(type_: GraphQLObjectType | GraphQLInterfaceType) -> str:
    chosen = [
        name
        for name, field in type_.fields.items()
        if is_leaf_type(get_named_type(field.type)) and _is_shown(type_.name, name, field)
    ]
    return f"{{ {' '.join(chosen)} }}"


def _is_shown(type_name_: str, name: str, field: GraphQLField) -> bool:
    if field.args:
        return False
    if (type_name_, name) in _ALSO:
        return True
    defined = field.extensions["strawberry-definition"]
    return not any(isinstance(extension, Requires) for extension in defined.extensions)


def _has_id(type_: Any) -> bool:
    return isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and "id" in type_.fields
