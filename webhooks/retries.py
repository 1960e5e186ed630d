"""When a message is sent again. Pure."""

import random
from enum import StrEnum

# Seconds between a try and the next one; the last pause is repeated.
_PAUSES = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
_JITTER = 0.2
KEPT_TRYING_SECONDS = 3 * 86_400.0
DISABLED_AFTER_DAYS = 5


class DeliveryStatus(StrEnum):
    """Where a delivery is: WebhookDeliveryStatus of the API."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def pause_after(tries: int, elapsed: float) -> float | None:
    """Returns the seconds until the next try; None if there is none.

    The pauses are random by a fifth, so that messages that failed together do not come together.

    Args:
        tries: how many have failed, at least one.
        elapsed: the seconds since the first one.
    """
    pause = _PAUSES[min(tries, len(_PAUSES)) - 1]
    pause *= random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311  # spreads load, keeps no secret
    return pause if elapsed + pause <= KEPT_TRYING_SECONDS else None
