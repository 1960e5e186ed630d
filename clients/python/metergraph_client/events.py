"""Events, and how they are written as JSON.

An event gets its id and its timestamp when it is handed over, and keeps them. So Metergraph stores
it once, however often it is sent, and counts it when it happened, however late it arrives.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Event:
    """Something that a customer did. Name the customer by exactly one of its two ids.

    Attributes:
        name: the kind of event, such as ai_usage.
        external_customer_id: your own id for the customer; a new one creates the customer.
        customer_id: the customer's id in Metergraph.
        external_id: your id for the event; Metergraph stores only one event with it. By default,
            the client makes one.
        timestamp: when it happened, with a time zone. By default, now.
        metadata: the event's own data. A Decimal is sent as a text, which meters read as a number.
    """

    name: str
    external_customer_id: str | None = None
    customer_id: str | None = None
    external_id: str | None = None
    timestamp: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The event as JSON, in the form of the API's `EventInput`.

        Raises:
            TypeError: the metadata has a value that JSON has not.
            ValueError: a number is not finite, or the timestamp has no time zone.
        """
        if self.timestamp is not None and self.timestamp.utcoffset() is None:
            raise ValueError("The timestamp of an event needs a time zone, such as datetime.UTC.")
        fields = {
            "name": self.name,
            "externalCustomerId": self.external_customer_id,
            "customerId": self.customer_id,
            "externalId": self.external_id,
            "timestamp": None if self.timestamp is None else self.timestamp.isoformat(),
            "metadata": dict(self.metadata) or None,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return json.dumps(given, allow_nan=False, separators=(",", ":"), default=_written)

    @classmethod
    def from_json(cls, text: str) -> "Event":
        """Reads what `to_json` has written."""
        fields = json.loads(text)
        timestamp = fields.get("timestamp")
        return cls(
            name=fields["name"],
            external_customer_id=fields.get("externalCustomerId"),
            customer_id=fields.get("customerId"),
            external_id=fields.get("externalId"),
            timestamp=None if timestamp is None else datetime.fromisoformat(timestamp),
            metadata=fields.get("metadata", {}),
        )


def identified(event: Event) -> Event:
    """The event with an id and a timestamp, if it had none."""
    if event.external_id is not None and event.timestamp is not None:
        return event
    return replace(
        event,
        external_id=event.external_id or str(uuid7()),
        timestamp=event.timestamp or datetime.now(UTC),
    )


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562): the time in milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def _written(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    raise TypeError(f"The metadata of an event cannot have a {type(value).__name__}: {value!r}")
