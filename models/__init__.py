"""The tables. One Tortoise model a file; `migrations/` makes and changes them."""

from models.access_token import AccessToken
from models.customer import Customer
from models.customer_meter import CustomerMeter
from models.customer_session import CustomerSession
from models.event import Event
from models.event_batch import EventBatch
from models.event_log import EventLog
from models.meter import Meter
from models.organization import Organization
from models.usage_bucket import EVERYBODY, UsageBucket
from models.usage_value import CustomerMeterValue, UsageValue

__all__ = [
    "EVERYBODY",
    "AccessToken",
    "Customer",
    "CustomerMeter",
    "CustomerMeterValue",
    "CustomerSession",
    "Event",
    "EventBatch",
    "EventLog",
    "Meter",
    "Organization",
    "UsageBucket",
    "UsageValue",
]
