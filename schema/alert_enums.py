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
    },
)

__all__ = ["UsageAlertKind"]
