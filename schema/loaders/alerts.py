"""Reads usage alerts and their triggers."""

from uuid import UUID

from models import AlertTrigger, UsageAlert
from schema.loaders.keyset import KeyColumn, Keyset, uuid_key
from schema.loaders.sources import SQLSource
from schema.loaders.tables import equal, given, rows_source

_IN_ORDER = Keyset((KeyColumn("revision", "bigint", int), uuid_key()))


def alerts_source(
    organization_id: UUID, meter_id: UUID | None = None, customer_id: UUID | None = None
) -> SQLSource[UsageAlert]:
    """The organization's alerts; those of a meter or of one customer where given."""
    conditions = given(equal("meter_id", meter_id), equal("customer_id", customer_id))
    return rows_source(UsageAlert, organization_id, *conditions)


def triggers_of_alert(organization_id: UUID, alert_id: UUID) -> SQLSource[AlertTrigger]:
    """An alert's triggers, latest first."""
    return _triggers(organization_id, "alert_id", alert_id)


def triggers_of_customer(organization_id: UUID, customer_id: UUID) -> SQLSource[AlertTrigger]:
    """The triggers of a customer's alerts, latest first."""
    return _triggers(organization_id, "customer_id", customer_id)


def _triggers(organization_id: UUID, column: str, value: UUID) -> SQLSource[AlertTrigger]:
    return rows_source(
        AlertTrigger, organization_id, equal(column, value), keyset=_IN_ORDER, newest_first=True
    )
