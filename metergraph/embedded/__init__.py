"""Real PostgreSQL and real Redis without installing either: the servers from two wheels.

    with embedded_servers(settings.data_dir) as servers:
        servers.database_url, servers.redis_url

- `errors`: what can go wrong, as sentences.
- `account`: whom the servers run as, when we are root.
- `directories`: where data, sockets and programs are.
- `private_files`: files that only their owner may read.
- `processes`: starting, stopping, and finding what a killed run has left.
- `postgres`, `redis`: the two servers.
- `servers`: both, under one lock on the data directory.
"""

from metergraph.embedded.errors import AlreadyRunningError, EmbeddedServerError
from metergraph.embedded.servers import (
    Addresses,
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
