"""The field `idempotencyKey` of mutations that make something or move money."""

from typing import Any

import strawberry


def idempotency_key() -> Any:
    """The field. The mutation says `mutates(..., makes=...)`, which carries it out once a key."""
    return strawberry.field(
        default=None,
        description="Your key for this call, 1 to 255 characters: sent again with the same input, "
        "the mutation is not repeated and answers with what it made. With another input, CONFLICT. "
        "Kept for at least 30 days.",
    )
