"""What applications ask before and after a request: documents, and their answers as objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

USAGE_CHECK = """query UsageCheck(
  $meter: ID!, $customer: ID, $externalCustomer: String, $units: Decimal!
) {
  usageCheck(
    meterId: $meter, customerId: $customer, externalCustomerId: $externalCustomer, units: $units
  ) { allowed balance hasMeteredPrice }
}"""

_FIELDS = """
  meter { id name unit } periodStart periodEnd consumedUnits creditedUnits balance completeThrough
"""

CUSTOMER_METERS = f"""query CustomerMeters($id: ID, $externalId: String, $after: String) {{
  customer(id: $id, externalId: $externalId) {{
    meters(first: 100, after: $after) {{
      nodes {{ {_FIELDS} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""

CUSTOMER_METER = f"""query CustomerMeter($id: ID, $externalId: String, $meter: ID!) {{
  customer(id: $id, externalId: $externalId) {{ meter(id: $meter) {{ {_FIELDS} }} }}
}}"""


@dataclass(frozen=True)
class UsageCheck:
    """Whether a customer may use more units on a meter.

    Attributes:
        allowed: whether credit of so many units remains, or has_metered_price.
        balance: the remaining credit; negative if more was used.
        has_metered_price: whether an active subscription charges for usage beyond the credit.
    """

    allowed: bool
    balance: Decimal
    has_metered_price: bool


@dataclass(frozen=True)
class CustomerMeter:
    """A customer's usage and credit on a meter in the current period.

    Attributes:
        meter_id: the meter's id.
        meter_name: its name.
        unit: the name of one unit, such as token.
        period_start: when the period began; None before the first subscription.
        period_end: when it ends; None without an active subscription.
        consumed_units: what was used.
        credited_units: what was granted.
        balance: credited_units - consumed_units.
        complete_through: events stored before this instant are included.
    """

    meter_id: str
    meter_name: str
    unit: str | None
    period_start: datetime | None
    period_end: datetime | None
    consumed_units: Decimal
    credited_units: Decimal
    balance: Decimal
    complete_through: datetime


def check_variables(
    meter_id: str, external_customer_id: str | None, customer_id: str | None, units: Decimal | int
) -> dict[str, Any]:
    """The variables of USAGE_CHECK."""
    return {
        "meter": meter_id,
        "customer": customer_id,
        "externalCustomer": external_customer_id,
        "units": format(Decimal(units), "f"),
    }


def read_check(data: Mapping[str, Any]) -> UsageCheck:
    """Reads the answer to USAGE_CHECK."""
    found = data["usageCheck"]
    return UsageCheck(found["allowed"], Decimal(found["balance"]), found["hasMeteredPrice"])


def read_customer_meter(found: Mapping[str, Any]) -> CustomerMeter:
    """Reads a node of an answer."""
    return CustomerMeter(
        meter_id=found["meter"]["id"],
        meter_name=found["meter"]["name"],
        unit=found["meter"]["unit"],
        period_start=_instant(found["periodStart"]),
        period_end=_instant(found["periodEnd"]),
        consumed_units=Decimal(found["consumedUnits"]),
        credited_units=Decimal(found["creditedUnits"]),
        balance=Decimal(found["balance"]),
        complete_through=datetime.fromisoformat(found["completeThrough"]),
    )


@dataclass(frozen=True)
class MeterPage:
    """A page of a customer's meters; `after` is None on the last one."""

    meters: list[CustomerMeter]
    after: str | None


def read_meters(data: Mapping[str, Any]) -> MeterPage:
    """Reads the answer to CUSTOMER_METERS. A customer that does not exist has no meters."""
    if data["customer"] is None:
        return MeterPage([], None)
    found = data["customer"]["meters"]
    page = found["pageInfo"]
    return MeterPage(
        [read_customer_meter(node) for node in found["nodes"]],
        page["endCursor"] if page["hasNextPage"] else None,
    )


def read_meter(data: Mapping[str, Any]) -> CustomerMeter | None:
    """Reads the answer to CUSTOMER_METER."""
    found = data["customer"] and data["customer"]["meter"]
    return read_customer_meter(found) if found else None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
