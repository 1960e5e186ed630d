"""Lists of products, subscriptions, credits and invoices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models import (
    CreditEntry,
    CreditGrant,
    CustomerSubscription,
    Invoice,
    Product,
    SimulatedCustomer,
)
from schema.loaders.keyset import Keyset, amount_key, instant_key, uuid_key
from schema.loaders.sources import SQLSource
from schema.loaders.tables import Where, equal, given, has_text, rows_source, unarchived

ISSUED_FIRST = Keyset((instant_key("issued_at"), uuid_key()))
BY_DIFFERENCE = Keyset((amount_key("difference"), uuid_key("customer_id")))


@dataclass(frozen=True)
class SubscriptionQuery:
    """Which subscriptions to list: those that meet every condition that is given."""

    status: str | None = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    ends_before: datetime | None = None
    include_ended: bool = True


@dataclass(frozen=True)
class InvoiceQuery:
    """Which invoices to list: those that meet every condition that is not None."""

    customer_id: UUID | None = None
    subscription_id: UUID | None = None
    issued_after: datetime | None = None
    issued_before: datetime | None = None
    status: str | None = None


def products_source(
    organization_id: UUID, text: str | None = None, *, include_archived: bool
) -> SQLSource[Product]:
    """The organization's products whose names contain a text."""
    found = has_text(("name",), text)
    return rows_source(Product, organization_id, *unarchived(include_archived), *found)


def subscriptions_source(
    organization_id: UUID, query: SubscriptionQuery
) -> SQLSource[CustomerSubscription]:
    """The organization's subscriptions that meet the query."""
    return rows_source(
        CustomerSubscription,
        organization_id,
        *given(
            equal("status", query.status, "text"),
            equal("customer_id", query.customer_id),
            equal("product_id", query.product_id),
            Where("{row}.current_period_end < {value}", query.ends_before, "timestamptz"),
        ),
        *([] if query.include_ended else [Where("{row}.status <> 'CANCELED'")]),
    )


def subscriptions_of_customer(
    organization_id: UUID, customer_id: UUID, *, include_ended: bool
) -> SQLSource[CustomerSubscription]:
    """A customer's subscriptions."""
    query = SubscriptionQuery(customer_id=customer_id, include_ended=include_ended)
    return subscriptions_source(organization_id, query)


def invoices_source(
    organization_id: UUID, query: InvoiceQuery, *, newest_first: bool = False
) -> SQLSource[Invoice]:
    """The organization's invoices that meet the query, in the order of issuing."""
    return rows_source(
        Invoice,
        organization_id,
        *given(
            equal("customer_id", query.customer_id),
            equal("subscription_id", query.subscription_id),
            equal("status", query.status, "text"),
            Where("{row}.issued_at >= {value}", query.issued_after, "timestamptz"),
            Where("{row}.issued_at < {value}", query.issued_before, "timestamptz"),
        ),
        keyset=ISSUED_FIRST,
        newest_first=newest_first,
    )


def invoices_of_customer(organization_id: UUID, customer_id: UUID) -> SQLSource[Invoice]:
    """A customer's invoices."""
    return invoices_source(organization_id, InvoiceQuery(customer_id=customer_id))


def invoices_of_subscription(organization_id: UUID, subscription_id: UUID) -> SQLSource[Invoice]:
    """A subscription's invoices."""
    return invoices_source(organization_id, InvoiceQuery(subscription_id=subscription_id))


def simulated_customers_source(
    organization_id: UUID, simulation_id: UUID
) -> SQLSource[SimulatedCustomer]:
    """The customers of a simulation, those who would have paid the most more first."""
    return rows_source(
        SimulatedCustomer,
        organization_id,
        equal("simulation_id", simulation_id),
        keyset=BY_DIFFERENCE,
        newest_first=True,
    )


def credit_entries_source(
    organization_id: UUID, customer_id: UUID, meter_id: UUID
) -> SQLSource[CreditEntry]:
    """A customer's credit ledger on a meter."""
    return rows_source(
        CreditEntry,
        organization_id,
        equal("customer_id", customer_id),
        equal("meter_id", meter_id),
    )


# A grant that ends with its period is active while it is in one. $1 is the organization, as in all
# lists of rows.
_ACTIVE = """
({row}.effective_at IS NULL OR {row}.effective_at <= {value})
AND ({row}.expires_at IS NULL OR {row}.expires_at > {value})
AND ({row}.voided_at IS NULL OR {row}.voided_at > {value})
AND ({row}.is_rolling OR EXISTS (
    SELECT FROM credit_holding held
    JOIN metered_period period
      ON period.organization_id = $1 AND period.id = held.metered_period_id
    WHERE held.organization_id = $1 AND held.credit_grant_id = {row}.id
      AND (period.starts_at IS NULL OR period.starts_at <= {value})
      AND (period.ends_at IS NULL OR period.ends_at > {value})
))
"""


def grants_source(
    organization_id: UUID, customer_id: UUID, meter_id: UUID, active_at: datetime | None
) -> SQLSource[CreditGrant]:
    """A customer's grants on a meter, or those that usage at an instant can use."""
    return rows_source(
        CreditGrant,
        organization_id,
        equal("customer_id", customer_id),
        equal("meter_id", meter_id),
        *given(Where(_ACTIVE, active_at, "timestamptz")),
    )
