"""Node and global ids: opaque strings that name a type and a row, unique across the API.

An id is the base64url of "Type:uuid", without padding. A malformed id is treated as unknown.
"""

import base64
import binascii
import re
from typing import Annotated
from uuid import UUID

import strawberry

Id = Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]

NO_KEY = UUID(int=0)
"""The key of no row."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ALPHABET = re.compile(r"[A-Za-z0-9_-]{4,200}", re.ASCII)


@strawberry.interface(description="An object with a globally unique id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="A permanent, opaque id. `node(id:)` returns the object."
    )


def encode_id(type_name: str, key: UUID) -> strawberry.ID:
    """The global id of the row of a type."""
    # The same as base64.urlsafe_b64encode, which takes twice as long for so short a string.
    text = binascii.b2a_base64(f"{type_name}:{key}".encode(), newline=False)
    return strawberry.ID(text.translate(_URL_SAFE, b"=").decode())


def split_id(value: str) -> tuple[str, UUID] | None:
    """Returns the type and the key that a global id names; None if it is malformed."""
    if not _ALPHABET.fullmatch(value):
        return None
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
        type_name, _, key = text.partition(":")
        parsed = UUID(key)
    except (binascii.Error, ValueError):
        return None
    # One row has one id: other spellings of a UUID, or of base64, name nothing.
    return (type_name, parsed) if encode_id(type_name, parsed) == value else None


def decode_id(value: str, type_name: str) -> UUID | None:
    """Returns the key of a global id of `type_name`; None if it is malformed or of another type."""
    found = split_id(value)
    return found[1] if found is not None and found[0] == type_name else None


def key_to_list(value: str | None, type_name: str) -> UUID | None:
    """Returns the key that an id limits a list to: NO_KEY if unknown, None if no id is given."""
    return None if value is None else decode_id(value, type_name) or NO_KEY
