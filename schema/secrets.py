"""Secrets of tokens: random, shown once, stored as SHA-256 only.

They carry 256 random bits, so that a plain hash is enough: there is nothing to guess.
"""

import hashlib
import secrets

PREFIX = "mg_"
SESSION_PREFIX = "mg_session_"
_LONGEST = 200


def new_secret(prefix: str = PREFIX) -> str:
    """A new secret: `prefix` and 43 characters of base64url."""
    return prefix + secrets.token_urlsafe(32)


def is_like_secret(text: str) -> bool:
    """Whether a text can be a secret at all."""
    return len(text) <= _LONGEST and text.isascii()


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()
