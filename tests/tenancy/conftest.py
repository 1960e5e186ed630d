"""Room for operations that select everything."""

import pytest

from config.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Selecting everything two levels deep, as these tests do, costs more than is allowed."""
    return settings.model_copy(update={"max_query_cost": 200_000})
