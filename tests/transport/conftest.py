"""Patience with a Redis on a busy machine."""

import pytest

from transport import persisted_queries, rate_limits


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is there is not taken for one that is away, however busy the machine is."""
    for module in (persisted_queries, rate_limits):
        monkeypatch.setattr(module, "SECONDS_FOR_REDIS", 60.0)
