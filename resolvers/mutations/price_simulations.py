"""The mutation that simulates prices."""

import strawberry

from billing.simulations.starting import start_simulation
from resolvers.mutating import mutates
from schema.context import Info, Scope
from schema.inputs.price_simulations import PriceSimulationStartInput
from schema.types.price_simulation import PriceSimulation, PriceSimulationStartPayload


@strawberry.type
class PriceSimulationMutation:
    @strawberry.mutation(
        description="Starts to simulate prices and benefits over the usage of a past range. A "
        "worker carries it out, two at once for an organization.",
        extensions=[mutates(Scope.BILLING_WRITE, makes="simulation")],
    )
    async def price_simulation_start(
        self, info: Info, input: PriceSimulationStartInput
    ) -> PriceSimulationStartPayload:
        row = await start_simulation(info.context.organization_id, input.read())
        return PriceSimulationStartPayload(simulation=PriceSimulation.of(row))
