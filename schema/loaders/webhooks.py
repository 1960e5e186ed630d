"""Lists of webhook endpoints and deliveries."""

from dataclasses import dataclass
from uuid import UUID

from models import WebhookDelivery, WebhookEndpoint
from schema.loaders.sources import SQLSource
from schema.loaders.tables import equal, given, rows_source


@dataclass(frozen=True)
class DeliveryQuery:
    """Which deliveries to list: those that meet every condition that is not None."""

    endpoint_id: UUID | None = None
    status: str | None = None


def endpoints_source(organization_id: UUID) -> SQLSource[WebhookEndpoint]:
    """The organization's endpoints, oldest first."""
    return rows_source(WebhookEndpoint, organization_id)


def deliveries_source(organization_id: UUID, query: DeliveryQuery) -> SQLSource[WebhookDelivery]:
    """The organization's deliveries that meet the query, newest first."""
    return rows_source(
        WebhookDelivery,
        organization_id,
        *given(equal("endpoint_id", query.endpoint_id), equal("status", query.status, "text")),
        newest_first=True,
    )
