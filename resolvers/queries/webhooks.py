"""Query fields about webhooks: endpoints and deliveries."""

from typing import Annotated

import strawberry

from resolvers.queries.nodes import one
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import Id, key_to_list
from schema.loaders.webhooks import DeliveryQuery, deliveries_source, endpoints_source
from schema.permissions import requires
from schema.types.webhook import DeliveryStatusArgument, WebhookDelivery, WebhookEndpoint

_READ = Scope.WEBHOOKS_READ


@strawberry.type
class WebhookQuery:
    @strawberry.field(
        description="A webhook endpoint by its id. Null if there is none.",
        extensions=[requires(_READ)],
    )
    async def webhook_endpoint(self, info: Info, id: Id) -> WebhookEndpoint | None:
        return await one(info.context, id, WebhookEndpoint)

    @strawberry.field(
        description="A delivery by its id. Null if there is none.", extensions=[requires(_READ)]
    )
    async def webhook_delivery(self, info: Info, id: Id) -> WebhookDelivery | None:
        return await one(info.context, id, WebhookDelivery)

    @connection(
        WebhookEndpoint,
        description="All webhook endpoints, oldest first.",
        extensions=[requires(_READ)],
    )
    def webhook_endpoints(self, info: Info) -> Listed:
        return Listed(endpoints_source(info.context.organization_id), WebhookEndpoint.of)

    @connection(
        WebhookDelivery,
        description="The deliveries of the last 30 days to all endpoints, newest first.",
        extensions=[requires(_READ)],
    )
    def webhook_deliveries(
        self,
        info: Info,
        endpoint_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Return only deliveries to this endpoint."),
        ] = None,
        status: DeliveryStatusArgument = None,
    ) -> Listed:
        query = DeliveryQuery(
            key_to_list(endpoint_id, "WebhookEndpoint"), None if status is None else status.value
        )
        return Listed(deliveries_source(info.context.organization_id, query), WebhookDelivery.of)
