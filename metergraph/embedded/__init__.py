"""Runs a real PostgreSQL and a real Redis from the programs in two wheels, without installing them.

    with embedded_servers(settings.data_dir) as servers:
        servers.database_url, servers.redis_url

Decision 85 says what the wheels offer themselves and why that is not enough.
"""

from metergraph.embedded.directories import EmbeddedServerError
from metergraph.embedded.servers import (
    Addresses,
    AlreadyRunningError,
    EmbeddedServers,
    embedded_servers,
    running_addresses,
)

__all__ = [
    "Addresses",
    "AlreadyRunningError",
    "EmbeddedServerError",
    "EmbeddedServers",
    "embedded_servers",
    "running_addresses",
]
