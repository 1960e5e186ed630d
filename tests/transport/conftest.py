"""The API and its clients, for these tests, and a Redis that is waited for."""

import pytest

from tests.graphql_client import api, application, http, other_api
from transport import persisted_queries, rate_limits

__all__ = ["api", "application", "http", "other_api"]


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is there is not taken for one that is away, however busy the machine is."""
    for module in (persisted_queries, rate_limits):
        monkeypatch.setattr(module, "SECONDS_FOR_REDIS", 60.0)
