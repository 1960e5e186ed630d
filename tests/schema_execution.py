"""Operations run on the schema itself, by callers without a database, and what they cost."""

from typing import Any
from uuid import uuid4

from graphql import ExecutionResult, get_operation_ast, parse
from strawberry.types import ExecutionResult as StrawberryResult

from resolvers.schema import MetergraphSchema, create_schema
from schema.context import Context, TokenIdentity
from transport.cost import Weight, weigh, weighing_of

SCHEMA = create_schema()
GRAPHQL_SCHEMA = SCHEMA._schema  # noqa: SLF001  # Strawberry offers no other way


def context(*, anonymous: bool = False) -> Context:
    """A caller with a token that opens nothing, or without a token."""
    caller = None if anonymous else TokenIdentity(uuid4(), uuid4(), frozenset())
    services: Any = None
    return Context(services=services, caller=caller)


async def execute(
    text: str,
    variables: dict[str, Any] | None = None,
    *,
    anonymous: bool = False,
    schema: MetergraphSchema = SCHEMA,
) -> Any:
    """The result of an operation."""
    return await schema.execute(text, variables, context_value=context(anonymous=anonymous))


def codes(result: ExecutionResult | StrawberryResult) -> list[str]:
    """The codes of its errors."""
    return [(error.extensions or {})["code"] for error in result.errors or ()]


def weight(text: str, variables: dict[str, Any] | None = None) -> Weight:
    """The cost and the depth of the only operation of a document."""
    document = parse(text)
    operation = get_operation_ast(document)
    assert operation is not None
    return weigh(weighing_of(GRAPHQL_SCHEMA, document, operation, variables), operation)
