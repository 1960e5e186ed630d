"""Tests stay on this machine, unless they are given a database elsewhere."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_connections_to_elsewhere() -> Iterator[None]:
    """A test that would reach out of this machine fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = ipaddress.ip_address(address[0])
            if not host.is_loopback and "METERGRAPH_TEST_DATABASE_URL" not in os.environ:
                raise OSError(errno.ENETUNREACH, f"tests connect to this machine only, not {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
