"""The API and its clients, for these tests."""

from tests.graphql_client import api, application, http, other_api
from tests.resolvers.keyed_mutations import caller, counts

__all__ = ["api", "application", "caller", "counts", "http", "other_api"]
