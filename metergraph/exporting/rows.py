"""The columns of exports, and the rows of events and usage in them."""

from typing import Any

from metering.export.formats import Kind
from metering.export.usage import CustomerUsage
from models import Meter
from schema.ids import encode_id

EVENT_COLUMNS = {
    "position": Kind.INTEGER,
    "id": Kind.TEXT,
    "name": Kind.TEXT,
    "external_id": Kind.TEXT,
    "customer_id": Kind.TEXT,
    "customer_external_id": Kind.TEXT,
    "timestamp": Kind.INSTANT,
    "received_at": Kind.INSTANT,
    "metadata": Kind.JSON,
}

USAGE_COLUMNS = {
    "meter_id": Kind.TEXT,
    "meter": Kind.TEXT,
    "unit": Kind.TEXT,
    "customer_id": Kind.TEXT,
    "customer_external_id": Kind.TEXT,
    "start": Kind.INSTANT,
    "end": Kind.INSTANT,
    "quantity": Kind.TEXT,
    "events": Kind.INTEGER,
    "complete_through": Kind.INSTANT,
}


def event_row(row: dict[str, Any]) -> dict[str, Any]:
    """Makes a row of an event that `read_log` yields. Ids are those of the API."""
    return {
        **row,
        "id": encode_id("Event", row["id"]),
        "customer_id": encode_id("Customer", row["customer_id"]),
    }


def usage_row(meter: Meter, used: CustomerUsage, complete_through: Any) -> dict[str, Any]:
    """Makes a row of usage. A quantity is a text with all its digits; null if it has no value."""
    return {
        "meter_id": encode_id("Meter", meter.id),
        "meter": meter.name,
        "unit": meter.unit,
        "customer_id": encode_id("Customer", used.customer_id),
        "customer_external_id": used.customer_external_id,
        "start": used.window.start,
        "end": used.window.end,
        "quantity": None if used.quantity is None else f"{used.quantity:f}",
        "events": used.events,
        "complete_through": complete_through,
    }
