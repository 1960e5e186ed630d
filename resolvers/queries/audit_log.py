"""Query field auditEntries: the audit log, and the history of an object."""

from typing import Annotated

import strawberry

from models import AuditEntry as AuditEntryRow
from resolvers.queries.nodes import find_readable
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import split_id
from schema.loaders.audit_log import audit_entries_source, history_source
from schema.permissions import requires
from schema.types.audit_entry import AuditEntry


@strawberry.type
class AuditLogQuery:
    @connection(
        AuditEntry,
        description="The audit log, latest entry first: every change but the sending of events, "
        "and who made it.",
        extensions=[requires(Scope.AUDIT_READ)],
    )
    def audit_entries(
        self,
        info: Info,
        object_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Return the history of the object with this id: entries about it, and "
                "about what belongs to it, such as a customer's subscriptions, credits and "
                "invoices."
            ),
        ] = None,
    ) -> Listed:
        organization_id = info.context.organization_id
        if object_id is None:
            source = audit_entries_source(organization_id)
        else:
            source = history_source(organization_id, split_id(object_id))
        return Listed(source, _entry)


def _entry(row: AuditEntryRow) -> AuditEntry:
    return AuditEntry.of(row, find_readable)
