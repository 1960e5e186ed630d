"""Query fields about usage alerts."""

from typing import Annotated

import strawberry

from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import key_to_list
from schema.loaders.alerts import alerts_source
from schema.permissions import requires
from schema.types.alert import UsageAlert


@strawberry.type
class AlertQuery:
    @connection(
        UsageAlert,
        description="All usage alerts, oldest first.",
        extensions=[requires(Scope.ALERTS_READ)],
    )
    def usage_alerts(
        self,
        info: Info,
        meter_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Return alerts of this meter.")
        ] = None,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Return alerts of this customer only."),
        ] = None,
    ) -> Listed:
        source = alerts_source(
            info.context.organization_id,
            key_to_list(meter_id, "Meter"),
            key_to_list(customer_id, "Customer"),
        )
        return Listed(source, UsageAlert.of)
