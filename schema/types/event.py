"""Event and EventName: stored events, and the names that they have."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from metering.language.erased import shown_metadata
from models import EventVoid, exact_json
from schema.context import Info, Scope
from schema.ids import Node, encode_id
from schema.loaders.rows import Record
from schema.permissions import requires
from schema.scalars import BigInt, JSONObject
from schema.types import customer, meter  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.meter import Meter


@strawberry.type(
    description="Something that a customer did, as your application reported it. Events never "
    "change, but they can be voided."
)
class Event(Node):
    key: strawberry.Private[UUID]
    external_id: str | None = strawberry.field(
        description="Your id for the event, unique in the organization. It makes sending the "
        "event again safe."
    )
    name: str = strawberry.field(description="The kind of event, such as ai_usage.")
    timestamp: datetime = strawberry.field(description="When it happened.")
    received_at: datetime = strawberry.field(description="When it was stored.")
    processed_at: datetime | None = strawberry.field(
        description="When the meters that are up to date counted the event. Null until then."
    )
    metadata: JSONObject = strawberry.field(
        description="The event's own data, by which meters filter and aggregate. Empty if the "
        "customer was erased."
    )

    customer: Annotated["Customer", strawberry.lazy("schema.types.customer")] = strawberry.field(
        description="The customer."
    )

    is_voided: strawberry.Private[bool]

    @strawberry.field(
        description="When the event was voided. It has counted nowhere since. Null if it was not.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def voided_at(self, info: Info) -> datetime | None:
        void = await self._void(info)
        return None if void is None else void.voided_at

    @strawberry.field(
        description="Why the event was voided. Null if it was not.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def void_reason(self, info: Info) -> str | None:
        void = await self._void(info)
        return None if void is None else void.reason

    async def _void(self, info: Info) -> EventVoid | None:
        if not self.is_voided:
            return None
        return await info.context.loaders.void_of_event.load(self.key)

    @strawberry.field(
        description="The meters that count the event.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def meters(
        self, info: Info
    ) -> list[Annotated["Meter", strawberry.lazy("schema.types.meter")]]:
        rows = await info.context.loaders.meters_of_event.load(self.key)
        return [meter.Meter.of(row) for row in rows]

    @classmethod
    def of(cls, row: Record) -> "Event":
        """Makes an Event of a row from `schema.loaders.events` or from the live feed."""
        return cls(
            id=encode_id("Event", row["id"]),
            key=row["id"],
            is_voided=row["batch_id"] < 0,
            external_id=row["external_id"],
            name=row["name"],
            timestamp=row["timestamp"],
            received_at=row["received_at"],
            processed_at=row["processed_at"],
            metadata=JSONObject(exact_json.written(shown_metadata(row["metadata"]))),
            customer=customer.Customer(
                id=encode_id("Customer", row["customer_id"]),
                key=row["customer_id"],
                external_id=row["customer_external_id"],
                name=row["customer_name"],
                email=row["customer_email"],
                created_at=row["customer_created_at"],
                erased_at=row["customer_erased_at"],
            ),
        )


@strawberry.type(description="A name that events have, with statistics.")
class EventName:
    name: str = strawberry.field(description="The name.")
    occurrences: BigInt = strawberry.field(description="The number of events with this name.")
    first_seen_at: datetime = strawberry.field(
        description="When the first event with this name happened."
    )
    last_seen_at: datetime = strawberry.field(
        description="When the last event with this name happened."
    )
    metadata_keys: list[str] = strawberry.field(
        description="The metadata keys of recent events with this name, most frequent first."
    )
