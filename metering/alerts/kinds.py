"""What an alert watches, as levels: an alert is reached when the level is at least its own.

A kind's level rises towards the threshold, so one rule holds for numbers that are watched from
below and from above. Levels are exact: a percentage is compared in millionths of a percent, cut
off, and thresholds have no more decimals than that.
"""

from enum import StrEnum

PERCENT_DECIMALS = 6


class UsageAlertKind(StrEnum):
    """The number that an alert watches."""

    CONSUMED_UNITS = "CONSUMED_UNITS"
    CREDIT_BALANCE = "CREDIT_BALANCE"
    CREDIT_USED_PERCENT = "CREDIT_USED_PERCENT"
    ESTIMATED_AMOUNT = "ESTIMATED_AMOUNT"

    @property
    def has_meter(self) -> bool:
        """Whether it watches a number of `customer_meter`; billing decides about the others."""
        return self is not UsageAlertKind.ESTIMATED_AMOUNT


_PARTS = 10**PERCENT_DECIMALS


def level_sql(kind: str, consumed: str, credited: str) -> str:
    """The level of a kind for these numbers; NULL if it has none, as a percentage of no credit."""
    return f"""
        CASE {kind}
            WHEN '{UsageAlertKind.CONSUMED_UNITS}' THEN {consumed}
            WHEN '{UsageAlertKind.CREDIT_BALANCE}' THEN {consumed} - {credited}
            WHEN '{UsageAlertKind.CREDIT_USED_PERCENT}' THEN
                CASE WHEN {credited} > 0 THEN div({consumed} * {100 * _PARTS}, {credited}) END
        END
    """


def threshold_level_sql(alert: str) -> str:
    """The level at which an alert in a row of `usage_alert` is reached."""
    return f"""
        CASE {alert}.kind
            WHEN '{UsageAlertKind.CREDIT_BALANCE}' THEN -{alert}.threshold
            WHEN '{UsageAlertKind.CREDIT_USED_PERCENT}' THEN {alert}.threshold * {_PARTS}
            ELSE {alert}.threshold
        END
    """


def value_sql(kind: str, level: str) -> str:
    """The number that a person reads, from a level of the kind."""
    return f"""
        trim_scale(CASE {kind}
            WHEN '{UsageAlertKind.CREDIT_BALANCE}' THEN -{level}
            WHEN '{UsageAlertKind.CREDIT_USED_PERCENT}' THEN {level} * 1e-{PERCENT_DECIMALS}
            ELSE {level}
        END)
    """
