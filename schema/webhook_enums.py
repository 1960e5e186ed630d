"""The enum of webhooks, as the API describes it: see schema.enums."""

from schema.enums import described
from webhooks.retries import DeliveryStatus

described(
    DeliveryStatus,
    "Where a delivery is.",
    {
        "PENDING": "It will be tried, or tried again.",
        "DELIVERED": "The endpoint answered with a status of 200 to 299.",
        "FAILED": "All tries failed, or the endpoint answered 410.",
    },
    name="WebhookDeliveryStatus",
)

__all__ = ["DeliveryStatus"]
