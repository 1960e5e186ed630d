"""The enums of billing, as the API describes them: see schema.enums."""

from billing.periods.intervals import RecurringInterval
from billing.periods.metered_periods import EntryKind
from billing.rating.lines import LineKind
from billing.rating.schemes import Pricing
from billing.subscriptions.life import CancelWhen
from billing.subscriptions.renewal import SubscriptionStatus
from schema.enums import described

described(
    RecurringInterval,
    "How long a subscription's periods are, counted from its start, in UTC.",
    {
        "DAY": "24 hours.",
        "WEEK": "Seven days.",
        "MONTH": "A calendar month; a day that a month lacks becomes its last.",
        "YEAR": "A calendar year; February 29 becomes 28 in other years.",
    },
)
described(
    Pricing,
    "How a metered price turns units into an amount.",
    {
        "PER_UNIT": "Every unit costs the same.",
        "GRADUATED": "The units within each tier cost what that tier says.",
        "VOLUME": "All units cost what the tier that they reach says.",
        "PACKAGE": "Every started package of units costs the same.",
    },
    name="MeteredPricing",
)
described(
    EntryKind,
    "Why units were put into a credit ledger, or taken out of it.",
    {
        "GRANT": "A benefit brought them at a period's start.",
        "MANUAL": "Somebody credited or debited them by hand.",
        "EXPIRY": "A period ended, and all its credit with it, used or not.",
        "CARRIED_OVER": "Unused units of the period before; or a correction of them, after late "
        "usage.",
        "REVOKE": "A grant was taken back.",
    },
    name="CreditEntryKind",
)
described(
    SubscriptionStatus,
    "Whether a subscription runs.",
    {"ACTIVE": "It runs.", "CANCELED": "It has ended."},
    name="CustomerSubscriptionStatus",
)
described(
    CancelWhen,
    "When a cancellation takes effect.",
    {
        "PERIOD_END": "When the current period ends.",
        "NOW": "There and then: the current period is closed and billed.",
    },
)
described(
    LineKind,
    "What a line of an invoice charges for.",
    {
        "FIXED": "A period in advance.",
        "METERED": "A period's usage, in arrears.",
        "CORRECTION": "Usage that arrived after the invoice of its period was made: the re-rated "
        "period, less what was billed.",
    },
    name="InvoiceLineKind",
)

__all__ = [
    "CancelWhen",
    "EntryKind",
    "LineKind",
    "Pricing",
    "RecurringInterval",
    "SubscriptionStatus",
]
