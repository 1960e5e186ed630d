"""Prints the schema: `python -m schema.print > schema.graphql`, which `make schema` does."""

import sys

from schema.schema import create_schema


def printed_schema() -> str:
    """The schema in GraphQL's own language, with every description."""
    return create_schema().as_str().strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(printed_schema())
