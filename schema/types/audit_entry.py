"""AuditEntry: a line of the audit log."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import strawberry

from models import AuditEntry as AuditEntryRow
from schema.audit_log.entries import ActorKind
from schema.context import Context, Info
from schema.enums import described
from schema.ids import Node, encode_id
from schema.scalars import JSONObject

FindNode = Callable[[Context, str], Awaitable[Node | None]]

described(
    ActorKind,
    "How somebody made a change.",
    {
        "TOKEN": "A program or a person, with an access token.",
        "BROWSER": "The dashboard, signed in with an access token.",
        "COMMAND_LINE": "A command on the server.",
    },
    name="AuditActorKind",
)


@strawberry.type(
    description="An entry of the audit log: a change, and who made it. Entries never change, but "
    "the texts about a customer who is erased go. Sending events, and what "
    "Metergraph does by itself, such as renewals, leave none."
)
class AuditEntry(Node):
    find: strawberry.Private[FindNode]
    at: datetime = strawberry.field(description="When the change was made.")
    actor_kind: ActorKind = strawberry.field(description="How it was made.")
    actor: str = strawberry.field(
        description="Who made it: the name of the access token, or the account on the server."
    )
    actor_id: strawberry.ID | None = strawberry.field(
        description="The id of the access token. Null for the command line."
    )
    action: str = strawberry.field(
        description="What was done: the name of the mutation, such as `meterCreate`, or the "
        "command, such as `metergraph token create`."
    )
    object_id: strawberry.ID | None = strawberry.field(
        description="The id of the object that was created, changed or deleted: of several, such "
        "as voided events, one of them. Null if there was none."
    )
    input: JSONObject = strawberry.field(
        description="The input, without secrets. Long texts and lists are cut, and say so."
    )
    erased_at: datetime | None = strawberry.field(
        description="When texts were erased from the input, with the customer whom it is about. "
        "Null if none were."
    )

    @strawberry.field(
        description="The object that was created or changed, as it is now. Null if it was "
        "deleted, or if the caller may not read it."
    )
    async def object(self, info: Info) -> Node | None:
        if self.object_id is None:
            return None
        return await self.find(info.context, self.object_id)

    @classmethod
    def of(cls, row: AuditEntryRow, find: FindNode) -> "AuditEntry":
        """Makes an entry; `find` finds its object if the caller may read it."""
        about = None
        if row.object_type is not None and row.object_id is not None:
            about = encode_id(row.object_type, row.object_id)
        return cls(
            id=encode_id("AuditEntry", row.id),
            find=find,
            at=row.at,
            actor_kind=ActorKind(row.actor_kind),
            actor=row.actor,
            actor_id=encode_id("AccessToken", row.token_id) if row.token_id else None,
            action=row.action,
            object_id=about,
            input=JSONObject(row.input),
            erased_at=row.erased_at,
        )
