"""Mutations with idempotency keys, for these tests."""

from tests.resolvers.keyed_mutations import caller, counts

__all__ = ["caller", "counts"]
