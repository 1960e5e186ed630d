"""The API and its clients, for these tests."""

from tests.graphql_client import api, application, http, other_api

__all__ = ["api", "application", "http", "other_api"]
