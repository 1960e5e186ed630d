"""Node: everything that has an id."""

import strawberry


@strawberry.interface(description="Something with an id that is unique in the whole API.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque and lasting; `node(id:)` finds the object by it."
    )
