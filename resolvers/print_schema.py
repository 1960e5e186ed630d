"""Prints the schema: `make schema` writes it to schema.graphql."""

import sys

from graphql.utilities.print_schema import print_schema_definition

from resolvers.schema import create_schema


def printed_schema() -> str:
    """Returns the schema in GraphQL's schema language, with every description."""
    schema = create_schema()
    # Strawberry leaves out the description of the schema itself.
    return f"{print_schema_definition(schema._schema)}\n\n{schema.as_str().strip()}\n"  # noqa: SLF001  # Strawberry offers no other way to it


if __name__ == "__main__":
    sys.stdout.write(printed_schema())
