"""Query fields about simulations of prices."""

import strawberry

from models import PriceSimulation as PriceSimulationRow
from resolvers.queries.nodes import one
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import Id
from schema.loaders.tables import rows_source
from schema.permissions import requires
from schema.types.price_simulation import PriceSimulation

_READ = Scope.BILLING_READ


@strawberry.type
class PriceSimulationQuery:
    @strawberry.field(
        description="A simulation of prices by its id. Null if there is none.",
        extensions=[requires(_READ)],
    )
    async def price_simulation(self, info: Info, id: Id) -> PriceSimulation | None:
        return await one(info.context, id, PriceSimulation)

    @connection(
        PriceSimulation,
        description="All simulations of prices, newest first.",
        extensions=[requires(_READ)],
    )
    def price_simulations(self, info: Info) -> Listed:
        source = rows_source(PriceSimulationRow, info.context.organization_id, newest_first=True)
        return Listed(source, PriceSimulation.of)
