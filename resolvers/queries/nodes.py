"""Query fields node and nodes: any object by its id, of the types whose owner may see them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import strawberry

from models import AccessToken as AccessTokenRow
from models import Organization as OrganizationRow
from models import ProductPrice as PriceRow
from schema.context import Context, Info
from schema.errors import BadUserInput
from schema.ids import Node, split_id
from schema.permissions import READING, requires
from schema.types.credit import CreditEntry
from schema.types.customer import Customer
from schema.types.customer_meter import CustomerMeter
from schema.types.event import Event
from schema.types.invoice import Invoice
from schema.types.meter import Meter
from schema.types.organization import AccessToken, Organization
from schema.types.product import FixedPrice, MeterCreditBenefit, MeteredPrice, Product
from schema.types.subscription import CustomerSubscription

MAX_NODES = 100


@dataclass(frozen=True)
class NodeType:
    """How objects of a type are found: the row of an id, and the object of a row."""

    load: Callable[[Context, UUID], Awaitable[Any]]
    of: Callable[[Any], Node]


async def _organization(context: Context, key: UUID) -> OrganizationRow | None:
    if key != context.organization_id:
        return None
    return await OrganizationRow.get_or_none(id=key)


async def _access_token(context: Context, key: UUID) -> AccessTokenRow | None:
    return await AccessTokenRow.get_or_none(organization_id=context.organization_id, id=key)


def _price_of_kind(kind: str) -> Callable[[Context, UUID], Awaitable[PriceRow | None]]:
    async def load(context: Context, key: UUID) -> PriceRow | None:
        row = await context.loaders.billing.price.load(key)
        return row if row is not None and row.kind == kind else None

    return load


NODE_TYPES: dict[str, NodeType] = {
    "AccessToken": NodeType(_access_token, AccessToken.of),
    "CreditEntry": NodeType(
        lambda context, key: context.loaders.billing.credit_entry.load(key), CreditEntry.of
    ),
    "Customer": NodeType(lambda context, key: context.loaders.customer.load(key), Customer.of),
    "CustomerMeter": NodeType(
        lambda context, key: context.loaders.customer_meter.load(key), CustomerMeter.of
    ),
    "CustomerSubscription": NodeType(
        lambda context, key: context.loaders.billing.subscription.load(key),
        CustomerSubscription.of,
    ),
    "Event": NodeType(lambda context, key: context.loaders.event.load(key), Event.of),
    "FixedPrice": NodeType(_price_of_kind("FIXED"), FixedPrice.of_row),
    "Invoice": NodeType(lambda context, key: context.loaders.billing.invoice.load(key), Invoice.of),
    "Meter": NodeType(lambda context, key: context.loaders.meter.load(key), Meter.of),
    "MeterCreditBenefit": NodeType(
        lambda context, key: context.loaders.billing.benefit.load(key), MeterCreditBenefit.of
    ),
    "MeteredPrice": NodeType(_price_of_kind("METERED"), MeteredPrice.of_row),
    "Organization": NodeType(_organization, Organization.of),
    "Product": NodeType(lambda context, key: context.loaders.billing.product.load(key), Product.of),
}


async def find_node(context: Context, node_id: str) -> Node | None:
    """The object of an id; None where it is malformed, foreign or gone. Raises Forbidden."""
    found = split_id(node_id)
    if found is None or found[0] not in NODE_TYPES:
        return None
    READING[found[0]].check(context)
    return await load_node(context, node_id)


async def load_node(context: Context, node_id: str) -> Node | None:
    """The object of an id for a caller who may read it; None where there is none."""
    found = split_id(node_id)
    node_type = NODE_TYPES.get(found[0]) if found else None
    if found is None or node_type is None:
        return None
    row = await node_type.load(context, found[1])
    return None if row is None else node_type.of(row)


@strawberry.type
class NodeQuery:
    @strawberry.field(
        description="Any object by its id. Null if there is none.", extensions=[requires()]
    )
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")],
    ) -> Node | None:
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
