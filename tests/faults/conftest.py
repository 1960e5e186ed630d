"""A running system for the tests of this folder, and a tenant for each."""

from collections.abc import Iterator

import pytest

from tests.faults.system import API, WORKERS, System, running_system
from tests.faults.tenant import Tenant, make_tenant


@pytest.fixture(scope="session")
def running() -> Iterator[System]:
    with running_system() as system:
        yield system


@pytest.fixture
def system(running: System) -> Iterator[System]:
    """Both servers, and neither the API nor a worker."""
    yield running
    running.start_redis()
    running.stop()


@pytest.fixture
def tenant(system: System) -> Tenant:
    return system.run(lambda: make_tenant(system))


@pytest.fixture
def whole_system(system: System) -> System:
    """The servers, the API and three workers."""
    system.start(API, *WORKERS)
    return system
