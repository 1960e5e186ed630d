"""An event as Polar's ingestion takes it, within Polar's limits.

https://polar.sh/docs/api-reference/events/ingest
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from config import clock
from metering.ingest.events import MAXIMUM_AHEAD, EventKeys

KEYS = EventKeys(
    name="name",
    customer_id="customer_id",
    external_customer_id="external_customer_id",
    external_id="external_id",
    timestamp="timestamp",
    metadata="metadata",
)
_MOST_SHOWN = 1_000  # characters of a value at fault


def _in_the_past(timestamp: datetime) -> datetime:
    if timestamp > clock.now() + MAXIMUM_AHEAD:  # Polar allows no clock to be ahead
        raise ValueError("Timestamp must be in the past.")
    return timestamp


class _Cost(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=17, decimal_places=12)]
    currency: Annotated[str, Field(pattern="usd")]


class _Tokens(BaseModel):
    vendor: str
    model: str
    prompt: str | None = None
    response: str | None = None
    input_tokens: int
    cached_input_tokens: int | None = None
    output_tokens: int
    total_tokens: int


class Metadata(BaseModel):
    """Metadata: values under any keys, and two objects that Polar knows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[
        str, Annotated[str, Field(min_length=1, max_length=500)] | int | float | bool
    ]

    cost: _Cost | None = Field(default=None, alias="_cost")
    llm: _Tokens | None = Field(default=None, alias="_llm")


class _Event(BaseModel):
    timestamp: Annotated[AwareDatetime, AfterValidator(_in_the_past)] | None = None
    name: Annotated[str, Field(max_length=128)]
    organization_id: str | None = None
    external_id: str | None = None
    parent_id: str | None = None
    metadata: Metadata | None = None


class EventCreateCustomer(_Event):
    """An event of a customer by the customer's id here. Errors name this class, as Polar's do."""

    customer_id: str
    member_id: str | None = None


class EventCreateExternalCustomer(_Event):
    """An event of a customer by the sender's own id."""

    external_customer_id: str
    external_member_id: str | None = None


_EVENT: TypeAdapter[EventCreateCustomer | EventCreateExternalCustomer] = TypeAdapter(
    EventCreateCustomer | EventCreateExternalCustomer
)


def fields_of(sent: Any) -> dict[str, Any]:
    """Returns an event with the fields of KEYS; raises ValidationError.

    Metadata is returned as it was sent, because validation would make floats of its numbers.
    """
    event = _EVENT.validate_python(sent)
    by_own_id = isinstance(sent.get("external_customer_id"), str)
    customer = "external_customer_id" if by_own_id else "customer_id"
    return {
        "name": event.name,
        customer: sent[customer],
        "external_id": event.external_id,
        "timestamp": event.timestamp,
        "metadata": sent.get("metadata"),
    }


def mistakes(error: ValidationError) -> list[dict[str, Any]]:
    """Returns the errors of an event as Polar shows them, except for long values."""
    return [
        mistake(one["type"], one["loc"], one["msg"], one["input"])
        for one in error.errors(include_url=False, include_context=False)
    ]


def mistake(type_: str, location: tuple[int | str, ...], message: str, sent: Any) -> dict[str, Any]:
    """Returns one error; with the value at fault if that is short."""
    found: dict[str, Any] = {"type": type_, "loc": list(location), "msg": message}
    if sent is None or isinstance(sent, bool | int) or _is_short(sent):
        found["input"] = sent
    return found


def _is_short(sent: Any) -> bool:
    return isinstance(sent, str) and len(sent) <= _MOST_SHOWN
