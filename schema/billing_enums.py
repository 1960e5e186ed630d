"""The enums of billing, as the API describes them: see schema.enums."""

from billing.invoicing.states import InvoiceStatus
from billing.periods.intervals import BillingPeriods, RecurringInterval
from billing.periods.ledger import EntryKind
from billing.rating.conversion import RoundingMode
from billing.rating.lines import LineKind
from billing.rating.schemes import Pricing
from billing.simulations.simulation import SimulationStatus
from billing.subscriptions.life import CancelWhen
from billing.subscriptions.live_subscriptions import SubscriptionStatus
from schema.enums import described

described(
    RecurringInterval,
    "The interval of a subscription's periods, counted from its start, in UTC, unless they follow "
    "the calendar.",
    {
        "DAY": "24 hours.",
        "WEEK": "Seven days.",
        "MONTH": "A calendar month. If a month lacks the day, the period begins on its last day.",
        "YEAR": "A calendar year. February 29 becomes February 28 in other years.",
    },
)
described(
    BillingPeriods,
    "Where the periods of a subscription begin.",
    {
        "FROM_START": "When the subscription began, or when its trial ended, and every interval "
        "after that, in UTC.",
        "CALENDAR": "With the weeks, months or years of the organization's time zone. Weeks begin "
        "on Monday; several months begin with January. The first period is shorter, and its fixed "
        "amounts, credit, caps and minimums are in proportion to time.",
    },
)
described(
    SimulationStatus,
    "Where a simulation is in its life.",
    {
        "RUNNING": "It is being carried out. Its totals and customers are those so far.",
        "DONE": "All customers are simulated.",
        "FAILED": "It cannot be carried out. `failure` says why.",
    },
)
described(
    Pricing,
    "How a metered price computes the amount from the units.",
    {
        "PER_UNIT": "Every unit costs the same.",
        "GRADUATED": "The units within each tier have that tier's price.",
        "VOLUME": "All units have the price of the tier that their number reaches.",
        "PACKAGE": "Every started package of units costs the same.",
    },
    name="MeteredPricing",
)
described(
    RoundingMode,
    "How converted units are rounded.",
    {
        "NONE": "They are not rounded. Only the amount of a line is.",
        "UP": "Up: every started unit counts.",
        "DOWN": "Down: only complete units count.",
        "HALF_UP": "To the nearest one; a half is rounded up.",
    },
)
described(
    EntryKind,
    "Why units were credited or debited.",
    {
        "GRANT": "A benefit granted them at the start of a period.",
        "MANUAL": "They were credited or debited manually.",
        "EXPIRY": "A grant ended, and what remained of it was taken out. Or the period ended, and "
        "all its credit, used or not, was taken out. Unused credit that rolls over came back as "
        "CARRIED_OVER.",
        "CARRIED_OVER": "Unused units carried over from the previous period, or a correction of "
        "them after late usage.",
        "REVOKE": "A grant was taken back.",
        "VOID": "A grant was voided: what remained of it was taken out.",
        "UNCOVERED": "A grant began or ended within the period. These units were used before and "
        "not covered by credit. They are billed, and use none of the credit since.",
    },
    name="CreditEntryKind",
)
described(
    SubscriptionStatus,
    "Where a subscription is in its life.",
    {
        "SCHEDULED": "The subscription has not started.",
        "TRIALING": "The subscription is in its trial, which is free.",
        "ACTIVE": "The subscription is active.",
        "CANCELED": "The subscription has ended, or was canceled before it started.",
    },
    name="CustomerSubscriptionStatus",
)
described(
    CancelWhen,
    "When a cancellation or a change takes effect.",
    {
        "PERIOD_END": "When the current period ends.",
        "NOW": "Immediately. The current period is closed and billed.",
    },
)
described(
    LineKind,
    "The kind of an invoice line.",
    {
        "FIXED": "A fixed price, charged in advance for a period.",
        "METERED": "A period's usage, charged in arrears.",
        "PRORATION": "The part of a fixed price for the rest of a period, when the subscription "
        "changes or ends within it: the old price is given back, the new one is charged.",
        "CORRECTION": "Usage that arrived after its period was invoiced: the amount of the "
        "period as rated again, less the amount that was billed.",
        "MINIMUM": "What the usage of a period costs less than the product's minimumAmount.",
        "DISCOUNT": "The discount of the subscription, off the other lines. Positive if late usage "
        "reduces it, or if what was paid with a discount is given back.",
        "BALANCE": "What the customer was owed, by credit notes or by invoices with a negative "
        "total, and pays a part of this invoice.",
    },
    name="InvoiceLineKind",
)
described(
    InvoiceStatus,
    "Where an invoice is in its life.",
    {
        "DRAFT": "Its period has ended, but the organization's grace has not. It has no number "
        "yet, and its lines still change with the usage.",
        "ISSUED": "It has a number, and its lines never change. It is to be paid.",
        "PAID": "It was marked as paid.",
        "VOID": "It was voided and is not to be paid. It keeps its number and its lines.",
    },
)

__all__ = [
    "BillingPeriods",
    "CancelWhen",
    "EntryKind",
    "InvoiceStatus",
    "LineKind",
    "Pricing",
    "RecurringInterval",
    "RoundingMode",
    "SimulationStatus",
    "SubscriptionStatus",
]
