"""The tables. One Tortoise model a file; `migrations/` makes and changes them."""

from models.access_token import AccessToken
from models.billing_frontier import BillingFrontier
from models.browser_session import BrowserSession
from models.credit_entry import CreditEntry
from models.customer import Customer
from models.customer_meter import CustomerMeter
from models.customer_session import CustomerSession
from models.customer_subscription import CustomerSubscription, SubscriptionMeter
from models.event import Event
from models.event_batch import EventBatch
from models.event_log import EventLog
from models.event_name import EventName
from models.idempotency_key import IdempotencyKey
from models.invoice import Invoice, InvoiceCounter
from models.invoice_line import InvoiceLine
from models.meter import Meter
from models.meter_credit_benefit import MeterCreditBenefit
from models.metered_period import MeteredPeriod
from models.organization import Organization
from models.product import Product
from models.product_benefit import ProductBenefit
from models.product_price import ProductPrice
from models.subscription_period import SubscriptionPeriod
from models.usage_audit import UsageAudit
from models.usage_bucket import ALL_CUSTOMERS, UsageBucket
from models.usage_drift import UsageDrift
from models.usage_value import CustomerMeterValue, UsageValue

__all__ = [
    "ALL_CUSTOMERS",
    "AccessToken",
    "BillingFrontier",
    "BrowserSession",
    "CreditEntry",
    "Customer",
    "CustomerMeter",
    "CustomerMeterValue",
    "CustomerSession",
    "CustomerSubscription",
    "Event",
    "EventBatch",
    "EventLog",
    "EventName",
    "IdempotencyKey",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "Meter",
    "MeterCreditBenefit",
    "MeteredPeriod",
    "Organization",
    "Product",
    "ProductBenefit",
    "ProductPrice",
    "SubscriptionMeter",
    "SubscriptionPeriod",
    "UsageAudit",
    "UsageBucket",
    "UsageDrift",
    "UsageValue",
]
