"""Secrets of endpoints: made, encrypted for the database, and signed with.

Signatures follow the Standard Webhooks specification. A secret is `whsec_` and the base64 of 32
random bytes. The database has it encrypted with METERGRAPH_SECRET_KEY (Fernet: AES-128-CBC with an
HMAC), so that a copy of the database alone cannot sign.
"""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from standardwebhooks import Webhook

from config.settings import get_settings, variable_name

_BYTES = 32


class SecretKeyError(RuntimeError):
    """Secrets cannot be encrypted or decrypted; the message says which setting to change."""


def new_secret() -> str:
    """Makes a secret for an endpoint."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"


def encrypted(secret: str) -> str:
    """Encrypts a secret. Raises SecretKeyError if there is no key."""
    return _keys().encrypt(secret.encode()).decode()


def decrypted(stored: str) -> str:
    """Decrypts a secret. Raises SecretKeyError if there is no key, or not the right one."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise SecretKeyError(
            f"{variable_name('secret_key')} has no key that decrypts this secret. Add the key that "
            "it was encrypted with, after a comma, or rotate the endpoint's secret."
        ) from None


def signatures(secrets_: Iterable[str], webhook_id: str, at: datetime, body: str) -> str:
    """Returns the header `webhook-signature`: a signature with each of the secrets."""
    return " ".join(Webhook(secret).sign(webhook_id, at, body) for secret in secrets_)


def _keys() -> MultiFernet:
    key = get_settings().secret_key
    if key is None:
        raise SecretKeyError(
            f"Webhooks need a key to encrypt their secrets with. Set {variable_name('secret_key')} "
            "for the API and the workers, for example to the output of `openssl rand -base64 32`."
        )
    return MultiFernet([Fernet(each) for each in key.get_secret_value().split(",")])
