"""EventInput and EventsIngestInput: events as clients send them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from schema.enums import InvalidEventPolicy
from schema.inputs.raw import kept_raw
from schema.scalars import JSONObject


@strawberry.input(
    description="Something that a customer did. Give exactly one of customerId and "
    "externalCustomerId."
)
class EventInput:
    name: str = strawberry.field(
        description="The kind of event, such as ai_usage: 1 to 128 characters."
    )
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id in Metergraph. The customer must exist."
    )
    external_customer_id: str | None = strawberry.field(
        default=None,
        description="Your own id for the customer: 1 to 256 characters. A customer with a new "
        "id is created.",
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="Your id for the event, unique in the organization: 1 to 256 characters. An "
        "event with an id that is already stored is not stored again, however much later "
        "you send it.",
    )
    timestamp: datetime | None = strawberry.field(
        default=None,
        description="When it happened, at most 5 minutes in the future. By default, now.",
    )
    metadata: JSONObject | None = strawberry.field(
        default=None,
        description="The event's own data, by which meters filter and aggregate: at most 16 KiB "
        "of JSON, 4 levels, and 64 keys in each object. Numbers are kept exactly.",
    )


@strawberry.input(description="Events to store, at most 10,000.")
class EventsIngestInput:
    raw: strawberry.Private[Mapping[str, Any]]
    events: list[EventInput] = strawberry.field(
        description="The events. Each gets a receipt, in the same order."
    )
    on_invalid: InvalidEventPolicy = strawberry.field(
        default=InvalidEventPolicy.REJECT_BATCH,
        description="What happens to valid events if others are invalid.",
    )


kept_raw(EventsIngestInput)


@strawberry.input(
    description="Events to void: at most 10,000 ids and external ids together. An event that is "
    "named more than once is voided once."
)
class EventsVoidInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The ids of events."
    )
    external_ids: list[str] | None = strawberry.field(
        default=None, description="Your ids of events."
    )
    reason: str = strawberry.field(
        description="Why they are voided: 1 to 1,000 characters, shown with each event."
    )
