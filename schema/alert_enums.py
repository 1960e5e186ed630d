"""The enum of alerts, as the API describes it: see schema.enums."""

from metering.alerts.kinds import UsageAlertKind
from schema.enums import described

described(
    UsageAlertKind,
    "The number of a customer's current period that an alert watches. An alert triggers when it "
    "reaches the threshold.",
    {
        "CONSUMED_UNITS": "`consumedUnits` on the meter, as it rises.",
        "CREDIT_BALANCE": "`balance` on the meter, as it falls. A customer who has never had "
        "credit on the meter only reaches thresholds below zero.",
        "CREDIT_USED_PERCENT": "`consumedUnits` as a percentage of `creditedUnits` on the meter, "
        "as it rises. Without credit, there is no percentage.",
        "ESTIMATED_AMOUNT": "What the next invoices would charge for all of the customer's open "
        "periods in one currency if they ended now, in minor units, as it rises. Without a meter. "
        "It triggers within ten seconds.",
    },
)

__all__ = ["UsageAlertKind"]
