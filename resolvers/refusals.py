"""Resolves the ids in a mutation's input, or raises RefusedError."""

from uuid import UUID

from billing.subscriptions.changes import SubscriptionChange
from metering.erasing.customers import refuse_erased
from metering.problems import RefusedError, problem
from models import Customer
from schema.context import Context
from schema.customers import find_customer
from schema.ids import decode_id
from schema.inputs.subscriptions import CustomerSubscriptionChangeInput

_CALLED = {
    "AccessToken": "token",
    "CustomerMeter": "customer meter",
    "CustomerSubscription": "subscription",
    "WebhookDelivery": "delivery",
    "WebhookEndpoint": "webhook endpoint",
    "UsageAlert": "alert",
}


def not_found(type_name: str, field: str) -> RefusedError:
    """The refusal of an id that does not exist in the organization."""
    called = _CALLED.get(type_name, type_name.lower())
    return RefusedError(problem("NOT_FOUND", f"There is no {called} with this id.", field))


def required_id(value: str, type_name: str, field: str) -> UUID:
    """Returns the key in a global id; raises RefusedError if the id is not of that type."""
    found = decode_id(value, type_name)
    if found is None:
        raise not_found(type_name, field)
    return found


def requested_change(sent: CustomerSubscriptionChangeInput) -> tuple[UUID, SubscriptionChange]:
    """Returns the subscription and the change that an input names; raises RefusedError."""
    subscription_id = required_id(sent.id, "CustomerSubscription", "id")
    product_id = None
    if sent.product_id is not None:
        product_id = required_id(sent.product_id, "Product", "productId")
    return subscription_id, SubscriptionChange(product_id, sent.quantity, sent.when)


async def named_customer(
    context: Context, customer_id: str | None, external_id: str | None
) -> Customer:
    """Returns the customer that an input names by exactly one of two ids; raises RefusedError.

    It is not erased, nor in the rest of the mutation's transaction.
    """
    if (customer_id is None) == (external_id is None):
        message = "Give exactly one of customerId and externalCustomerId."
        raise RefusedError(problem("INVALID", message))
    row = await find_customer(context, customer_id, external_id)
    field = "externalCustomerId" if customer_id is None else "customerId"
    if row is None:
        raise not_found("Customer", field)
    await refuse_erased(row.organization_id, row.id, field)
    return row
