"""Carries out simulations of prices: a batch of each one in turn."""

from functools import partial
from uuid import UUID

import asyncpg
import structlog

from billing.simulations.running import (
    LARGEST_BATCH,
    SimulationError,
    Step,
    fail,
    running,
    simulate_batch,
)
from waiting.outages import is_outage
from waiting.patience import Patience

_log = structlog.get_logger(__name__)

_LESS = 4


class Simulating:
    """The simulations of all organizations, which take turns batch by batch.

    Any number of workers may run it at once. It uses one connection.

    Args:
        patience: how long to wait for PostgreSQL.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        # Smaller batches of simulations that took too long.
        self._periods: dict[UUID, int] = {}

    async def run(self) -> None:
        """Works until nothing is left to do now."""
        is_more = True
        while is_more:
            is_more = False
            for organization_id, simulation_id in await self._patience.wait_for(
                "simulations", running
            ):
                step = await self._step(organization_id, simulation_id)
                is_more |= step is Step.MORE

    async def _step(self, organization_id: UUID, simulation_id: UUID) -> Step:
        """Simulates a batch. If that fails, the simulation does, and the others go on."""
        log = _log.bind(organization_id=str(organization_id), simulation_id=str(simulation_id))
        periods = self._periods.get(simulation_id, LARGEST_BATCH)
        work = partial(simulate_batch, organization_id, simulation_id, periods)
        try:
            step = await self._patience.wait_for((simulation_id, "simulation"), work)
        except SimulationError as error:
            failure = str(error)
        except asyncpg.QueryCanceledError:
            if periods > 1:
                self._periods[simulation_id] = max(1, periods // _LESS)
                return Step.MORE
            failure = "Reading the usage of one customer takes too long."
        except Exception as error:
            if is_outage(error):
                # It may have taken too long. The next run tries less.
                self._periods[simulation_id] = max(1, periods // _LESS)
                raise
            log.exception("simulating prices failed")
            failure = "An internal error occurred."
        else:
            if step is Step.LAST:
                self._periods.pop(simulation_id, None)
                log.info("prices simulated")
            return step
        self._periods.pop(simulation_id, None)
        await self._patience.wait_for(
            "failures of simulations", partial(fail, organization_id, simulation_id, failure)
        )
        log.warning("prices cannot be simulated", reason=failure)
        return Step.LAST
