"""The tables, as Tortoise models; `migrations/` makes and changes them."""

from models.access import AccessToken, BrowserSession, CustomerSession
from models.alert import AlertTrigger, UsageAlert
from models.archive import ArchivedEvents, ArchivedMonth, KeptEdge, KeptEvent
from models.audit_entry import AuditEntry, AuditEntryObject
from models.credit import CreditGrant, CreditHolding
from models.customer import Customer
from models.dimension import DimensionBucket, DimensionCombination, DimensionValue
from models.erasure import CustomerErasure, ErasedCount
from models.event import (
    Event,
    EventBatch,
    EventKey,
    EventLog,
    EventName,
    EventVoid,
    PackedIndex,
)
from models.idempotency_key import IdempotencyKey
from models.invoice import (
    BalanceEntry,
    CreditNote,
    CreditNoteCounter,
    Invoice,
    InvoiceCounter,
    InvoiceLine,
)
from models.meter import Meter
from models.metered_period import BillingFrontier, CreditEntry, MeteredPeriod
from models.organization import Organization
from models.price_simulation import PriceSimulation, SimulatedCustomer
from models.product import Benefit, Product, ProductBenefit, ProductPrice
from models.subscription import CustomerSubscription, SubscriptionMeter, SubscriptionPeriod
from models.timeline import LogFork, LogTimeline
from models.usage import (
    ALL_CUSTOMERS,
    CustomerMeter,
    CustomerMeterValue,
    UsageBucket,
    UsageChange,
    UsageRange,
    UsageValue,
)
from models.usage_audit import UsageAudit, UsageDrift
from models.webhook import OutboxEvent, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ALL_CUSTOMERS",
    "AccessToken",
    "AlertTrigger",
    "ArchivedEvents",
    "ArchivedMonth",
    "AuditEntry",
    "AuditEntryObject",
    "BalanceEntry",
    "Benefit",
    "BillingFrontier",
    "BrowserSession",
    "CreditEntry",
    "CreditGrant",
    "CreditHolding",
    "CreditNote",
    "CreditNoteCounter",
    "Customer",
    "CustomerErasure",
    "CustomerMeter",
    "CustomerMeterValue",
    "CustomerSession",
    "CustomerSubscription",
    "DimensionBucket",
    "DimensionCombination",
    "DimensionValue",
    "ErasedCount",
    "Event",
    "EventBatch",
    "EventKey",
    "EventLog",
    "EventName",
    "EventVoid",
    "IdempotencyKey",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "KeptEdge",
    "KeptEvent",
    "LogFork",
    "LogTimeline",
    "Meter",
    "MeteredPeriod",
    "Organization",
    "OutboxEvent",
    "PackedIndex",
    "PriceSimulation",
    "Product",
    "ProductBenefit",
    "ProductPrice",
    "SimulatedCustomer",
    "SubscriptionMeter",
    "SubscriptionPeriod",
    "UsageAlert",
    "UsageAudit",
    "UsageBucket",
    "UsageChange",
    "UsageDrift",
    "UsageRange",
    "UsageValue",
    "WebhookDelivery",
    "WebhookEndpoint",
]
