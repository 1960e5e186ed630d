"""Query fields node and nodes: any object by its id, if the caller may read its type."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from tortoise.models import Model

import models
from schema.context import Context, Info
from schema.errors import BadUserInput
from schema.ids import Id, Node, decode_id, split_id
from schema.permissions import ACCESS, may_read, requires
from schema.types.alert import AlertTrigger, UsageAlert
from schema.types.audit_entry import AuditEntry
from schema.types.credit import CreditEntry
from schema.types.credit_grant import CreditGrant
from schema.types.customer import Customer
from schema.types.customer_meter import CustomerMeter
from schema.types.event import Event
from schema.types.invoice import CreditNote, Invoice
from schema.types.meter import Meter
from schema.types.organization import AccessToken, Organization
from schema.types.price import FixedPrice, MeteredPrice
from schema.types.price_simulation import PriceSimulation
from schema.types.product import MeterCreditBenefit, Product
from schema.types.subscription import CustomerSubscription
from schema.types.webhook import WebhookDelivery, WebhookEndpoint

N = TypeVar("N", bound=Node)

MAX_NODES = 100


@dataclass(frozen=True)
class NodeType:
    """How to load an object of a type: a row by id, and the object made of it."""

    load: Callable[[Context, UUID], Awaitable[Any]]
    of: Callable[[Any], Node]


def _of_table(model: type[Model], of: Callable[[Any], Node], **having: str) -> NodeType:
    """Loads the organization's rows of a table, or those with certain values."""

    async def load(context: Context, key: UUID) -> Model | None:
        row = await context.loaders.by_id(model).load(key)
        is_one = row and all(getattr(row, name) == value for name, value in having.items())
        return row if is_one else None

    return NodeType(load, of)


async def _organization(context: Context, key: UUID) -> models.Organization | None:
    is_own = key == context.organization_id
    return await models.Organization.get_or_none(id=key) if is_own else None


NODE_TYPES: dict[str, NodeType] = {
    "AccessToken": _of_table(models.AccessToken, AccessToken.of),
    "AlertTrigger": _of_table(models.AlertTrigger, AlertTrigger.of),
    "AuditEntry": _of_table(models.AuditEntry, lambda row: AuditEntry.of(row, find_readable)),
    "CreditEntry": _of_table(models.CreditEntry, CreditEntry.of),
    "CreditGrant": _of_table(models.CreditGrant, CreditGrant.of),
    "CreditNote": _of_table(models.CreditNote, CreditNote.of),
    "Customer": _of_table(models.Customer, Customer.of),
    "CustomerMeter": _of_table(models.CustomerMeter, CustomerMeter.of),
    "CustomerSubscription": _of_table(models.CustomerSubscription, CustomerSubscription.of),
    "Event": NodeType(lambda context, key: context.loaders.event.load(key), Event.of),
    "FixedPrice": _of_table(models.ProductPrice, FixedPrice.of_row, kind="FIXED"),
    "Invoice": _of_table(models.Invoice, Invoice.of),
    "Meter": _of_table(models.Meter, Meter.of),
    "MeterCreditBenefit": _of_table(models.Benefit, MeterCreditBenefit.of),
    "MeteredPrice": _of_table(models.ProductPrice, MeteredPrice.of_row, kind="METERED"),
    "Organization": NodeType(_organization, Organization.of),
    "PriceSimulation": _of_table(models.PriceSimulation, PriceSimulation.of),
    "Product": _of_table(models.Product, Product.of),
    "WebhookDelivery": _of_table(models.WebhookDelivery, WebhookDelivery.of),
    "WebhookEndpoint": _of_table(models.WebhookEndpoint, WebhookEndpoint.of),
    "UsageAlert": _of_table(models.UsageAlert, UsageAlert.of),
}


async def find_node(context: Context, node_id: str) -> Node | None:
    """Returns the object with an id; None if it is malformed, foreign or gone. Raises Forbidden."""
    found = split_id(node_id)
    if found is None or found[0] not in NODE_TYPES:
        return None
    ACCESS[found[0]].reading.check(context)
    return await load_node(context, node_id)


async def find_readable(context: Context, node_id: str) -> Node | None:
    """Returns the object with an id; None also if the caller may not read it."""
    found = split_id(node_id)
    if found is None or found[0] not in NODE_TYPES or not may_read(context, found[0]):
        return None
    return await load_node(context, node_id)


async def load_node(context: Context, node_id: str) -> Node | None:
    """Returns the object with an id, if the caller may read it; None if there is none."""
    found = split_id(node_id)
    return await _load(context, *found) if found else None


async def one(context: Context, node_id: str, node_type: type[N]) -> N | None:
    """Returns the object with an id, if the caller may read it; None if it has another type."""
    key = decode_id(node_id, node_type.__name__)
    found: Any = await _load(context, node_type.__name__, key) if key else None
    node: N | None = found
    return node


async def _load(context: Context, type_name: str, key: UUID) -> Node | None:
    node_type = NODE_TYPES.get(type_name)
    row = await node_type.load(context, key) if node_type else None
    return None if node_type is None or row is None else node_type.of(row)


@strawberry.type
class NodeQuery:
    @strawberry.field(
        description="Any object by its id. Null if there is none.", extensions=[requires()]
    )
    async def node(self, info: Info, id: Id) -> Node | None:
        return await find_node(info.context, id)

    @strawberry.field(
        description="Objects by their ids, in the same order. Null for each that does not exist.",
        extensions=[requires()],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The objects' ids, at most {MAX_NODES}."),
        ],
    ) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise BadUserInput(f"`ids` may have at most {MAX_NODES} ids, not {len(ids)}")
        return list(await asyncio.gather(*(find_node(info.context, node_id) for node_id in ids)))
