"""A tenant of a running system."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from models import Organization
from tests.faults.clients import Api
from tests.faults.exactness import assert_exact, create_meters, is_drained
from tests.faults.system import System, wait_until
from tests.serving import new_token

_DRAIN_SECONDS = 180.0


@dataclass(frozen=True)
class Tenant:
    """An organization with a meter of every kind, in a system."""

    system: System
    organization_id: UUID
    api: Api

    def drain(self) -> None:
        """Waits until everything that is stored is counted."""
        wait_until(
            lambda: self.system.run(lambda: is_drained(self.organization_id)),
            _DRAIN_SECONDS,
            "everything is counted",
        )

    def assert_exact(self) -> int:
        """Holds every number against the raw events; gives how many events there are."""
        return self.system.run(lambda: assert_exact(self.organization_id))


async def make_tenant(system: System) -> Tenant:
    """A new organization, its meters and a token."""
    organization = await Organization.create(name="Faults", slug=f"f-{secrets.token_hex(6)}")
    await create_meters(organization.id)
    token = await new_token(organization)
    return Tenant(system, organization.id, Api(system.port, token))
