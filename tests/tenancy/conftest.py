"""The API and its clients, for these tests."""

import pytest

from config.settings import Settings
from tests.graphql_client import api, application, http, other_api

__all__ = ["api", "application", "http", "other_api"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Selecting everything two levels deep, as these tests do, costs more than is allowed."""
    return settings.model_copy(update={"max_query_cost": 200_000})
