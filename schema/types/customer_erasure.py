"""CustomerErasure: how far erasing a customer is."""

from datetime import datetime

import strawberry

from models import CustomerErasure as CustomerErasureRow
from schema.scalars import BigInt


@strawberry.type(
    description="How far a customer's erasure is. Its name, email and external id go at once, and "
    "the metadata of its events within seconds to minutes, by their number."
)
class CustomerErasure:
    erased_events: BigInt = strawberry.field(
        description="The number of events whose metadata has been erased so far."
    )
    completed_at: datetime | None = strawberry.field(
        description="When the last metadata was erased. Null while some is left."
    )

    @classmethod
    def of(cls, row: CustomerErasureRow) -> "CustomerErasure":
        return cls(erased_events=BigInt(row.erased_events), completed_at=row.finished_at)
