"""Reads the audit log, and the history of an object."""

from uuid import UUID

from metering.language.parameters import Parameters
from models import AuditEntry
from schema.loaders.keyset import Keyset, instant_key, uuid_key
from schema.loaders.sources import SQLSource, model_of
from schema.loaders.tables import rows_source

_LATEST_LAST = Keyset((instant_key("at"), uuid_key()))
_LATEST_FIRST = Keyset(_LATEST_LAST.columns, descending=True)


def audit_entries_source(organization_id: UUID) -> SQLSource[AuditEntry]:
    """The organization's entries, latest first."""
    return rows_source(AuditEntry, organization_id, keyset=_LATEST_LAST, newest_first=True)


def history_source(organization_id: UUID, about: tuple[str, UUID] | None) -> SQLSource[AuditEntry]:
    """The entries about an object, by its type and id, latest first. None is no object."""

    def conditions(parameters: Parameters) -> list[str]:
        type_name, key = about or ("", UUID(int=0))
        return [
            f"history.organization_id = {parameters.add(organization_id, 'uuid')}",
            f"history.object_type = {parameters.add(type_name, 'text')}",
            f"history.object_id = {parameters.add(key, 'uuid')}",
        ]

    return SQLSource(
        columns="audit_entry.*",
        table="audit_entry_object",
        alias="history",
        conditions=conditions,
        keyset=_LATEST_FIRST,
        make=model_of(AuditEntry),
        joined="JOIN audit_entry ON audit_entry.organization_id = $1"
        " AND audit_entry.id = history.id",
        empty=about is None,
    )
